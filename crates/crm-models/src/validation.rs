//! The rules that requests share, and how a breach of them is reported.

use std::fmt;

use validator::{Validate, ValidationError, ValidationErrors};

use crate::{ContactType, email, phone};

/// The most characters of a value or a memo. The contract states none; this only stops what is
/// surely a mistake.
pub(crate) const MOST_CHARACTERS: usize = 4_000;

/// Input that the API would refuse: every member at once.
///
/// The messages name the member as the API does and give the reason. They do not quote the
/// value: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    /// What is wrong, member by member, never empty.
    pub fields: Vec<FieldError>,
}

impl std::error::Error for InvalidInput {}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, field) in self.fields.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{field}")?;
        }
        Ok(())
    }
}

impl InvalidInput {
    pub(crate) fn of(field: FieldError) -> Self {
        Self {
            fields: vec![field],
        }
    }
}

/// What is wrong with one member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The member as the API names it, for example `preferences.marketingUpdatesEnabled`;
    /// empty for the object as a whole.
    pub field: String,
    /// The rule, for programs.
    pub code: String,
    /// The reason, for people.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: &str, code: &str, message: &str) -> Self {
        Self {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
        }
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

/// Validation with the API's names: every [`Validate`] has it.
///
/// ```
/// use crm_models::{Check, ContactType, CreateContactRequest};
///
/// let request = CreateContactRequest::new(ContactType::Email, "not an address");
/// let error = request.check().unwrap_err();
/// assert_eq!(error.fields[0].field, "value");
/// assert_eq!(error.to_string(), "value is not an e-mail address like name@host.example");
/// ```
pub trait Check: Validate {
    /// Whether the API can be expected to take this.
    ///
    /// # Errors
    ///
    /// Every breach of a rule, at once.
    fn check(&self) -> Result<(), InvalidInput> {
        self.validate().map_err(|errors| {
            let mut fields: Vec<_> = errors
                .field_errors()
                .into_iter()
                .flat_map(|(field, errors)| {
                    errors.iter().map(move |error| FieldError {
                        field: if field == WHOLE { "" } else { &field }.to_owned(),
                        code: error.code.to_string(),
                        message: error
                            .message
                            .as_deref()
                            .unwrap_or("is not valid")
                            .to_owned(),
                    })
                })
                .collect();
            fields.sort_by(|a, b| a.field.cmp(&b.field));
            InvalidInput { fields }
        })
    }
}

impl<T: Validate> Check for T {}

/// The name under which errors of the object as a whole are kept.
const WHOLE: &str = "__all__";

/// Collects breaches of rules.
#[derive(Default)]
pub(crate) struct Rules(ValidationErrors);

impl Rules {
    pub(crate) fn breach(&mut self, field: &'static str, code: &'static str, message: &str) {
        let error = ValidationError::new(code).with_message(message.to_owned().into());
        self.0.add(field, error);
    }

    /// A breach by the object as a whole.
    pub(crate) fn whole(&mut self, code: &'static str, message: &str) {
        self.breach(WHOLE, code, message);
    }

    /// A type of the contract, unless the caller insists on another.
    pub(crate) fn contact_type(&mut self, contact_type: &ContactType) {
        if matches!(contact_type, ContactType::Other(_)) {
            self.breach(
                "type",
                "unknown_type",
                "is not one of Phone, MobilePhone, Email, Fax",
            );
        }
    }

    /// A value that fits its type; when the type is not known, one that fits any.
    pub(crate) fn value(&mut self, contact_type: Option<&ContactType>, value: &str) {
        if value.trim().is_empty() {
            self.breach("value", "blank", "is blank");
            return;
        }
        if value.chars().any(char::is_control) {
            self.breach("value", "control", "holds a control character");
        }
        self.length("value", value);
        let fault = match contact_type {
            Some(contact_type) if contact_type.is_phone() => phone::fault(value),
            Some(ContactType::Email) => email::fault(value),
            Some(_) => None,
            None => email::fault(value)
                .and(phone::fault(value))
                .map(|_| "is neither an e-mail address nor a telephone number"),
        };
        if let Some(fault) = fault {
            self.breach("value", "shape", fault);
        }
    }

    /// A free text: line breaks and tabs are fine, other control characters are not.
    pub(crate) fn text(&mut self, field: &'static str, text: &str) {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(control) {
            self.breach(field, "control", "holds a control character");
        }
        self.length(field, text);
    }

    pub(crate) fn optional_text(&mut self, field: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(field, text);
        }
    }

    fn length(&mut self, field: &'static str, text: &str) {
        if text.chars().count() > MOST_CHARACTERS {
            self.breach(field, "length", "has more than 4000 characters");
        }
    }

    pub(crate) fn finish(self) -> Result<(), ValidationErrors> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}
