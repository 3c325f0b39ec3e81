//! The path of an operation, with typed parameters.

use std::marker::PhantomData;

use crate::{
    parameter::{Kind, Parameter, Value},
    problem::Problem,
};

/// A path below the tenant, such as `/locations/{id}/contacts`, and the types of its parameters in
/// their order.
///
/// The names stand in the template and nowhere else: a handler takes the values as its argument, so
/// there is no name that it could misspell.
pub(crate) struct Path<P> {
    pub(crate) template: &'static str,
    parameters: PhantomData<P>,
}

impl<P: PathParameters> Path<P> {
    /// Makes a path. A constant does not compile if its template has more or fewer parameters than
    /// `P`.
    pub(crate) const fn new(template: &'static str) -> Self {
        assert!(parameters_of(template) == P::KINDS.len(), "a type for each parameter");
        Self { template, parameters: PhantomData }
    }

    /// Returns the parameters, as the OpenAPI document describes them.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let segments = self.template.split('/');
        let names = segments.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.zip(P::KINDS).map(|(name, kind)| Parameter::new(name, *kind)).collect()
    }
}

// By hand, because iterators do not run in constants.
const fn parameters_of(template: &str) -> usize {
    let (mut at, mut found) = (0, 0);
    while at < template.len() {
        found += (template.as_bytes()[at] == b'{') as usize;
        at += 1;
    }
    found
}

/// The values of a path's parameters: one value, a tuple of several, or `()`.
pub(crate) trait PathParameters: Sized + 'static {
    /// The types in their order.
    const KINDS: &'static [Kind];

    /// Reads the values from names and texts. Those of a longer path will do: the path of a list is
    /// the beginning of that of its records.
    fn read(path: &[(String, String)]) -> Result<Self, Problem>;
}

impl<T: Value> PathParameters for T {
    const KINDS: &'static [Kind] = &[T::KIND];

    fn read(path: &[(String, String)]) -> Result<Self, Problem> {
        let (value,) = <(T,)>::read(path)?;
        Ok(value)
    }
}

macro_rules! path_parameters {
    ($($type:ident),*) => {
        impl<$($type: Value),*> PathParameters for ($($type,)*) {
            const KINDS: &'static [Kind] = &[$($type::KIND),*];

            fn read(path: &[(String, String)]) -> Result<Self, Problem> {
                let mut _path = path.iter();
                Ok(($({
                    let (name, text) = _path.next().ok_or_else(Problem::no_route)?;
                    $type::parse(text).ok_or_else(|| Problem::path_id(name, $type::WHAT))?
                },)*))
            }
        }
    };
}

path_parameters!();
path_parameters!(A);
path_parameters!(A, B);
path_parameters!(A, B, C);
