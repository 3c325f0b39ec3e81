//! How a new value is read, whose kind may be known.

use crm_models::ContactType;
use crm_values::{InvalidValue, NewValue, NewValues};

/// Reads a value that a contact of this kind is to have, or one that is told by its looks where the
/// kind is not known. A kind that the contract does not have takes any value.
///
/// ```
/// use crm_bulk::read_value;
/// use crm_models::ContactType;
/// use crm_values::NewValues;
///
/// let read = |kind: Option<&ContactType>, text| read_value(NewValues::default(), kind, text);
/// assert_eq!(read(Some(&ContactType::Phone), "(818) 555-0142")?.value(), "8185550142");
/// assert!(read(Some(&ContactType::Email), "(818) 555-0142").is_err());
/// assert_eq!(read(Some(&ContactType::Other("Pager".into())), "any #1")?.value(), "any #1");
/// # Ok::<(), crm_values::InvalidValue>(())
/// ```
///
/// # Errors
///
/// Returns an [`InvalidValue`] that says why the text is not accepted.
pub fn read_value(
    values: NewValues,
    kind: Option<&ContactType>,
    text: &str,
) -> Result<NewValue, InvalidValue> {
    match kind {
        Some(ContactType::Email) => values.email(text),
        Some(kind) if kind.is_phone() => values.phone(text),
        Some(_) => Ok(NewValue::kept(text)),
        None => values.by_looks(text),
    }
}
