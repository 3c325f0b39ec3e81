//! The rules that requests share, and how a breach of them is reported.

use std::fmt;

use validator::{Validate, ValidateArgs, ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::{contact_type::ContactType, email, phone};

/// The most characters of any text. The contract states no bound; this one only stops what is
/// surely a mistake.
const MOST_CHARACTERS: usize = 4_000;

/// Input that the API would refuse, with every breach at once.
///
/// The messages name the member as the API does and give the reason. They do not quote the
/// value: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct InvalidInput {
    /// What is wrong, ordered by member. It is never empty.
    pub fields: Vec<FieldError>,
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, field) in self.fields.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{field}")?;
        }
        Ok(())
    }
}

impl From<FieldError> for InvalidInput {
    fn from(field: FieldError) -> Self {
        Self { fields: vec![field] }
    }
}

/// What is wrong with one member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The member as the API names it, for example `preferences.marketingUpdatesEnabled`;
    /// empty for the object as a whole.
    pub field: String,
    /// The rule, for programs: `blank`, `control`, `length`, `shape`, `unknown_type`, `range`,
    /// `empty`, `filter`, `legacy`, `path`.
    pub code: String,
    /// The reason, for people: it follows the name of the member.
    pub message: String,
}

impl FieldError {
    /// Creates the breach of a rule by a member, or with an empty name by the object as a whole.
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{} {}", self.field, self.message)
        }
    }
}

/// Validation that reports the API's names. Everything that implements [`Validate`] has it. Members
/// nested in a type of yours are named like `change.value` and `rows[2].memo`.
///
/// ```
/// use crm_models::{Check, ContactType, CreateContactRequest};
///
/// let request = CreateContactRequest::new(ContactType::Email, "not an address").memo("\u{7}");
/// let error = request.check().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "memo holds a control character; value is not an e-mail address like name@host.example",
/// );
/// assert_eq!(error.fields[1].field, "value");
/// ```
pub trait Check: Validate {
    /// Whether the API can be expected to take this.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    fn check(&self) -> Result<(), InvalidInput> {
        self.validate().map_err(InvalidInput::from)
    }
}

impl<T: Validate> Check for T {}

/// Validation that lets more pass than the contract has: every request with a number or an address
/// has it.
///
/// ```
/// use crm_models::{Check, CheckWith, ContactType, CreateContactRequest, Tolerance};
///
/// let request = CreateContactRequest::new(ContactType::from("Pager"), "#2206");
/// assert!(request.check().is_err());
/// assert!(request.check_with(Tolerance::AnyType).is_ok());
/// ```
pub trait CheckWith: for<'v> ValidateArgs<'v, Args = Tolerance> {
    /// Whether the API can be expected to take this, apart from what is tolerated.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    fn check_with(&self, tolerance: Tolerance) -> Result<(), InvalidInput> {
        self.validate_with_args(tolerance).map_err(InvalidInput::from)
    }
}

impl<T: for<'v> ValidateArgs<'v, Args = Tolerance>> CheckWith for T {}

/// What the check of a request lets pass that the contract does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Tolerance {
    /// Nothing: the type is one of the contract's, and the value fits it.
    #[default]
    Nothing,
    /// A type that the contract does not know, and any value with it.
    AnyType,
    /// Any type, value and memo: for what the service had before, and is to have again. A blank
    /// value is still refused.
    Anything,
}

impl From<ValidationErrors> for InvalidInput {
    fn from(errors: ValidationErrors) -> Self {
        let mut fields = Vec::new();
        collect(&mut fields, "", &errors);
        fields.sort_by(|a, b| a.field.cmp(&b.field));
        Self { fields }
    }
}

/// Adds the breaches of an object that is called `object`, and of all that is in it.
fn collect(fields: &mut Vec<FieldError>, object: &str, errors: &ValidationErrors) {
    for (member, kind) in errors.errors() {
        let member = match (object, member.as_ref()) {
            (object, WHOLE) => object.to_owned(),
            ("", member) => member.to_owned(),
            (object, member) => format!("{object}.{member}"),
        };
        match kind {
            ValidationErrorsKind::Field(breaches) => fields.extend(breaches.iter().map(|breach| {
                let message = breach.message.as_deref().unwrap_or("is not valid");
                FieldError::new(member.as_str(), breach.code.as_ref(), message)
            })),
            ValidationErrorsKind::Struct(errors) => collect(fields, &member, errors),
            ValidationErrorsKind::List(items) => {
                for (position, errors) in items {
                    collect(fields, &format!("{member}[{position}]"), errors);
                }
            }
        }
    }
}

/// The name under which errors of the object as a whole are kept, as in the derive of `validator`.
const WHOLE: &str = "__all__";

/// Collects breaches of rules. The bounds are generous, since the contract documents none.
#[derive(Default)]
pub(crate) struct Rules {
    errors: ValidationErrors,
    tolerance: Tolerance,
}

impl Rules {
    pub(crate) fn tolerating(tolerance: Tolerance) -> Self {
        Self { tolerance, ..Self::default() }
    }

    pub(crate) fn breach(
        &mut self,
        member: &'static str,
        code: &'static str,
        reason: &'static str,
    ) {
        let error = ValidationError::new(code).with_message(reason.into());
        self.errors.add(member, error);
    }

    /// A breach by the object as a whole.
    pub(crate) fn whole(&mut self, code: &'static str, reason: &'static str) {
        self.breach(WHOLE, code, reason);
    }

    pub(crate) fn nothing_to_change(&mut self) {
        self.whole("empty", "nothing is given to change");
    }

    /// A type of the contract, unless another is tolerated.
    pub(crate) fn contact_type(&mut self, contact_type: &ContactType) {
        let ContactType::Other(text) = contact_type else {
            return;
        };
        match self.tolerance {
            Tolerance::Anything => {}
            _ if text.trim().is_empty() => self.breach("type", "blank", "is blank"),
            Tolerance::Nothing => {
                self.breach("type", "unknown_type", "is not one of Phone, MobilePhone, Email, Fax");
            }
            Tolerance::AnyType => self.line("type", Some(text)),
        }
    }

    /// A value that fits its type; without a type, one of the contract's.
    pub(crate) fn value(&mut self, contact_type: Option<&ContactType>, value: &str) {
        if value.trim().is_empty() {
            self.breach("value", "blank", "is blank");
        }
        self.line("value", Some(value));
        let fits = match contact_type {
            _ if value.trim().is_empty() || self.tolerance == Tolerance::Anything => Ok(()),
            Some(ContactType::Email) => email::check(value),
            Some(ContactType::Phone | ContactType::MobilePhone | ContactType::Fax) => {
                phone::check(value)
            }
            None if self.tolerance == Tolerance::Nothing => email::check(value)
                .or(phone::check(value))
                .map_err(|_| "is neither an e-mail address nor a telephone number"),
            Some(ContactType::Other(_)) | None => Ok(()),
        };
        if let Err(reason) = fits {
            self.breach("value", "shape", reason);
        }
    }

    /// A free text, in which line breaks of any system and tabs are fine, but no other control
    /// characters.
    pub(crate) fn memo(&mut self, memo: Option<&str>) {
        self.text("memo", memo, |c| c.is_control() && !"\r\n\t".contains(c));
    }

    /// A text on one line.
    pub(crate) fn line(&mut self, member: &'static str, text: Option<&str>) {
        self.text(member, text, char::is_control);
    }

    /// A text to filter by. An empty one may count as none, and everything would be listed.
    pub(crate) fn selection(&mut self, member: &'static str, text: Option<&str>) {
        if text.is_some_and(|text| text.trim().is_empty()) {
            self.breach(member, "blank", "is blank; leave it out to list all");
        }
        self.line(member, text);
    }

    fn text(&mut self, member: &'static str, text: Option<&str>, refused: fn(char) -> bool) {
        if self.tolerance == Tolerance::Anything {
            return;
        }
        let text = text.unwrap_or_default();
        if text.contains(refused) {
            self.breach(member, "control", "holds a control character");
        }
        if text.chars().count() > MOST_CHARACTERS {
            self.breach(member, "length", "has more than 4000 characters");
        }
    }

    pub(crate) fn finish(self) -> Result<(), ValidationErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// Both kinds of validation of a request with a number or an address, by one function that adds the
/// breaches of its rules.
macro_rules! tolerant {
    ($request:ty, |$this:ident, $rules:ident| $judge:expr) => {
        impl validator::Validate for $request {
            fn validate(&self) -> Result<(), validator::ValidationErrors> {
                validator::ValidateArgs::validate_with_args(
                    self,
                    $crate::validation::Tolerance::Nothing,
                )
            }
        }

        impl validator::ValidateArgs<'_> for $request {
            type Args = $crate::validation::Tolerance;

            fn validate_with_args(
                &self,
                tolerance: $crate::validation::Tolerance,
            ) -> Result<(), validator::ValidationErrors> {
                let mut rules = $crate::validation::Rules::tolerating(tolerance);
                let ($this, $rules) = (self, &mut rules);
                $judge;
                rules.finish()
            }
        }
    };
}
pub(crate) use tolerant;
