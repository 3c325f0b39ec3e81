//! Parts of words, looked for all at once: a list has millions of cells, and hardly one has any.

/// Parts of words in lower case, by their first bytes.
pub(super) struct Parts(Vec<Vec<&'static str>>);

impl Parts {
    pub(super) fn of(parts: &[&'static str]) -> Self {
        let mut all = vec![Vec::new(); 256];
        for part in parts {
            all[usize::from(part.as_bytes()[0])].push(*part);
        }
        Self(all)
    }

    /// Whether one of them is in a text in lower case.
    pub(super) fn are_in(&self, letters: &str) -> bool {
        let bytes = letters.as_bytes();
        (0..bytes.len()).any(|at| {
            let mut parts = self.0[usize::from(bytes[at])].iter();
            parts.any(|part| bytes[at..].starts_with(part.as_bytes()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_wherever_it_stands() {
        let parts = Parts::of(&["opt", "stop", "n\u{2019}t"]);
        for text in ["opt", "i opt", "unstoppable", "don\u{2019}t", "sstop"] {
            assert!(parts.are_in(text), "{text}");
        }
        for text in ["", "op", "sto", "o p t", "don\u{2018}t"] {
            assert!(!parts.are_in(text), "{text}");
        }
    }
}
