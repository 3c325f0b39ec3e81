//! The objects around the records of a list.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema, schema::ArrayBuilder},
};

/// An object with records under `data`, and beside it what there is to say about them.
#[derive(Serialize)]
pub(super) struct Envelope<A, T> {
    #[serde(flatten)]
    pub(super) about: A,
    pub(super) data: Vec<T>,
}

/// What there is to say about the records of an [`Envelope`].
pub(super) trait About: PartialSchema {
    /// The beginning of the name of the envelope's schema, before that of its records.
    const NAME: &'static str;
}

impl<A: About, T: ToSchema> ToSchema for Envelope<A, T> {
    fn name() -> Cow<'static, str> {
        format!("{}{}", A::NAME, T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<A: About, T: ToSchema> PartialSchema for Envelope<A, T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = A::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let records = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
            object.properties.insert("data".to_owned(), records.into());
            object.required.push("data".to_owned());
        }
        schema
    }
}
