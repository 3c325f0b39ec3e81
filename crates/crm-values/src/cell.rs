//! What a spreadsheet leaves in a cell instead of what somebody typed.

use crate::invalid_value::InvalidValue;

/// What spreadsheets show in place of a result.
const ERRORS: [&str; 19] = [
    "#REF!",
    "#N/A",
    "#NAME?",
    "#VALUE!",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#UNKNOWN!",
    "#CONNECT!",
    "#BUSY!",
    "#EXTERNAL!",
    "#PYTHON!",
    "#GETTING_DATA",
    "#ERROR!",
    "Loading...",
];

/// Refuses formulas and spreadsheets' error messages, in a cell of any meaning.
///
/// ```
/// use crm_values::{InvalidValue, check_cell};
///
/// assert_eq!(check_cell("#REF!"), Err(InvalidValue::SpreadsheetError));
/// assert_eq!(check_cell(r#"="0815""#), Err(InvalidValue::Formula));
/// assert_eq!(check_cell("Gate code #4411"), Ok(()));
/// ```
///
/// # Errors
///
/// Returns [`InvalidValue::Formula`] or [`InvalidValue::SpreadsheetError`].
pub fn check_cell(text: &str) -> Result<(), InvalidValue> {
    let text = text.trim();
    let is_error = ERRORS.iter().any(|error| text.eq_ignore_ascii_case(error));
    // LibreOffice's errors are numbered; a column that is too narrow shows only hashes.
    let is_numbered = text
        .strip_prefix("Err:")
        .is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()));
    let is_narrow = text.len() >= 3 && text.bytes().all(|b| b == b'#');
    if text.starts_with(['=', '＝']) {
        Err(InvalidValue::Formula)
    } else if is_error || is_numbered || is_narrow {
        Err(InvalidValue::SpreadsheetError)
    } else {
        Ok(())
    }
}

/// Whether a spreadsheet took a telephone number for an amount and wrote it as one: `8185550142.0`,
/// `8.18555E+09`, also with a comma. Its digits may have changed.
pub(crate) fn is_amount(text: &str) -> bool {
    let text = text.trim().replace(',', ".");
    let has_zeros_behind = text.split_once('.').is_some_and(|(whole, zeros)| {
        whole.len() >= 7 && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0')
    });
    text.parse::<f64>().is_ok() && (has_zeros_behind || text.contains(['e', 'E']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_shows_in_place_of_a_result_is_refused() {
        for text in ERRORS.iter().chain(&["#n/a", " #REF! ", "Err:502", "###", "##########"]) {
            assert_eq!(check_cell(text), Err(InvalidValue::SpreadsheetError), "{text}");
        }
        for text in ["=1+1", "=HYPERLINK(\"x\")", "＝A1", " =A1"] {
            assert_eq!(check_cell(text), Err(InvalidValue::Formula), "{text}");
        }
        for text in ["#12", "##", "Err:", "N/A", "a=b", "", "# of doors: 3", "Gate #N/A"] {
            assert_eq!(check_cell(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_amount_is_told_from_a_number_with_points() {
        for text in
            ["8185550142.0", "8185550142,00", "+18185550142.0", " 8.18555E+09 ", "8,18555e9"]
        {
            assert!(is_amount(text), "{text}");
        }
        for text in ["8185550142", "8185550142.", "818.555.0142", "818555.0142", "818,555,0142"] {
            assert!(!is_amount(text), "{text}");
        }
    }
}
