//! Numbers and addresses as links have them: `tel:`, `sms:` and `mailto:`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Returns the number or address of a link, without what a program is to write there: of `tel:`
/// ([RFC 3966]), `sms:` ([RFC 5724]) and `mailto:` ([RFC 6068]). Any other text is returned unchanged.
///
/// Every reading of this crate begins with it; it is here for texts that are looked for without being
/// read, such as a part of an address.
///
/// ```
/// use crm_values::without_scheme;
///
/// assert_eq!(without_scheme("tel:+1-818-555-0142;ext=7"), "+1-818-555-0142;ext=7");
/// assert_eq!(without_scheme("sms:+18185550142?body=STOP"), "+18185550142");
/// assert_eq!(without_scheme("mailto:ada%2Bcrm@site.example?subject=stop"), "ada+crm@site.example");
/// assert_eq!(without_scheme("Ana: 818-555-0142"), "Ana: 818-555-0142");
/// ```
///
/// [RFC 3966]: https://www.rfc-editor.org/rfc/rfc3966
/// [RFC 5724]: https://www.rfc-editor.org/rfc/rfc5724
/// [RFC 6068]: https://www.rfc-editor.org/rfc/rfc6068
#[must_use]
pub fn without_scheme(text: &str) -> Cow<'_, str> {
    let Some((scheme, link)) = text.trim().split_once(':') else {
        return Cow::Borrowed(text);
    };
    let end = match scheme.to_ascii_lowercase().as_str() {
        "tel" => None,
        // Some telephones join the text to be sent with `&`.
        "sms" => link.find(['?', '&']),
        "mailto" => link.find('?'),
        _ => return Cow::Borrowed(text),
    };
    let value = end.map_or(link, |end| &link[..end]);
    // A link to what is no text is left for the reading to refuse.
    percent_decode_str(value).decode_utf8().unwrap_or(Cow::Borrowed(text))
}
