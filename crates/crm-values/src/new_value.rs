//! How a value that somebody typed is stored.

use std::borrow::Cow;

use crate::{
    email::{Email, looks_like_address},
    invalid_value::InvalidValue,
    phone::PhoneReader,
};

/// What to do with the extension of a telephone number. The API has a single member for a number,
/// and services that keep only digits append the extension's digits to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extensions {
    /// A number with an extension is refused.
    #[default]
    Refuse,
    /// The extension goes into the memo, as `ext. 7`.
    Memo,
    /// The extension is left out.
    Drop,
    /// The extension is sent after the number, as `8185550142 ext. 7`; the service may append its
    /// digits.
    Send,
}

/// How values to be stored are read: the same everywhere a value can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct NewValues {
    reader: PhoneReader,
    extensions: Extensions,
}

/// A telephone number or an e-mail address as it will be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewValue {
    value: String,
    extension: Option<String>,
}

/// Shows nothing, because numbers and addresses are personal data.
impl std::fmt::Debug for NewValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewValue").finish_non_exhaustive()
    }
}

impl NewValues {
    /// Reads telephone numbers with `reader`, and refuses those with an extension.
    pub fn new(reader: PhoneReader) -> Self {
        Self { reader, extensions: Extensions::Refuse }
    }

    /// Sets what to do with extensions.
    pub fn extensions(self, extensions: Extensions) -> Self {
        Self { extensions, ..self }
    }

    /// Returns the reader of telephone numbers.
    pub fn reader(self) -> PhoneReader {
        self.reader
    }

    /// Reads a telephone number; the value is its digits as a service stores them,
    /// [`Phone::stored`].
    ///
    /// ```
    /// use crm_values::{Extensions, NewValues, InvalidValue};
    ///
    /// let typed = "+1 (818) 555-0142 ext. 7";
    /// assert_eq!(NewValues::default().phone(typed).unwrap_err(), InvalidValue::Extension);
    /// let read = NewValues::default().extensions(Extensions::Memo).phone(typed)?;
    /// assert_eq!(read.value(), "8185550142");
    /// assert_eq!(read.memo(Some("Gate")).as_deref(), Some("Gate, ext. 7"));
    /// # Ok::<(), InvalidValue>(())
    /// ```
    ///
    /// [`Phone::stored`]: crate::Phone::stored
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] that says why the text is not accepted: [`InvalidValue::Extension`] for an
    /// extension, unless [`extensions`](Self::extensions) says what to do with it.
    pub fn phone(self, text: &str) -> Result<NewValue, InvalidValue> {
        let phone = self.reader.phone(text)?;
        let (number, extension) = (phone.stored(), phone.extension());
        let (value, memo) = match (self.extensions, extension) {
            (Extensions::Refuse, Some(_)) => return Err(InvalidValue::Extension),
            (Extensions::Send, Some(extension)) => (format!("{number} ext. {extension}"), None),
            (Extensions::Memo, extension) => (number.to_owned(), extension),
            (Extensions::Drop, _) | (_, None) => (number.to_owned(), None),
        };
        Ok(NewValue { value, extension: memo.map(str::to_owned) })
    }

    /// Reads an e-mail address. It is stored as it was typed, without surrounding blanks.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] that says why the text is not accepted.
    pub fn email(self, text: &str) -> Result<NewValue, InvalidValue> {
        let email = Email::read(text)?;
        Ok(NewValue { value: email.as_str().to_owned(), extension: None })
    }

    /// Reads a text that looks like an address as an address, and any other as a telephone number.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] that says why the text is not accepted.
    pub fn by_looks(self, text: &str) -> Result<NewValue, InvalidValue> {
        if looks_like_address(text) { self.email(text) } else { self.phone(text) }
    }
}

impl NewValue {
    /// Wraps a value that a record already has, whether it can be read or not; it is left
    /// unchanged.
    #[must_use]
    pub fn kept(value: &str) -> Self {
        Self { value: value.to_owned(), extension: None }
    }

    /// Returns the number or address as it will be stored.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the extension that goes into the memo.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// Returns the memo for the contact: the one that it has or is to have, followed by the
    /// extension. Returns `None` if there is neither.
    #[must_use]
    pub fn memo(&self, memo: Option<&str>) -> Option<String> {
        match &self.extension {
            Some(extension) => Some(memo_with_extension(memo, extension).into_owned()),
            None => memo.map(str::to_owned),
        }
    }

    /// Returns the memo to send beside the value to a record that has `kept`: the one that is named,
    /// if one is; an extension is added to it, or else to the one that is kept.
    ///
    /// ```
    /// use crm_values::{Extensions, NewValues};
    ///
    /// let read = NewValues::default().extensions(Extensions::Memo).phone("818 555 0142 x7")?;
    /// assert_eq!(read.memo_to_send(None, Some("Gate")).as_deref(), Some("Gate, ext. 7"));
    /// assert_eq!(read.memo_to_send(Some("Door"), Some("Gate")).as_deref(), Some("Door, ext. 7"));
    /// let plain = NewValues::default().phone("818 555 0142")?;
    /// assert_eq!(plain.memo_to_send(None, Some("Gate")), None, "it stays");
    /// # Ok::<(), crm_values::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn memo_to_send(&self, named: Option<&str>, kept: Option<&str>) -> Option<String> {
        self.memo(if self.extension.is_some() { named.or(kept) } else { named })
    }
}

/// Returns the memo with the extension in it exactly once.
///
/// ```
/// use crm_values::memo_with_extension;
///
/// assert_eq!(memo_with_extension(None, "7"), "ext. 7");
/// assert_eq!(memo_with_extension(Some("Gate"), "7"), "Gate, ext. 7");
/// assert_eq!(memo_with_extension(Some("Gate, ext. 7"), "7"), "Gate, ext. 7");
/// ```
#[must_use]
pub fn memo_with_extension<'m>(memo: Option<&'m str>, extension: &str) -> Cow<'m, str> {
    let note = format!("ext. {extension}");
    match memo.filter(|memo| !memo.trim().is_empty()) {
        None => Cow::Owned(note),
        Some(memo) if memo == note || memo.ends_with(&format!(", {note}")) => Cow::Borrowed(memo),
        Some(memo) => Cow::Owned(format!("{memo}, {note}")),
    }
}
