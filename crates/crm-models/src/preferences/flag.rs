//! The table of all preferences and their names, from which everything else follows.

/// The table of preferences: gives all entries to the macro `$then`.
///
/// An entry is the variant; that it is on, as half a sentence; its name in the API, its column in
/// files of rows, its option of a command line, its words and the heading of a narrow column; the
/// field of an answer; where services answer it not yet, what it is then, given the combined flag;
/// and, where it can be set, its setter and its getter.
macro_rules! preferences {
    ($then:ident) => {
        $then! {
            /// Reminders of jobs.
            JobReminders "job reminders are received" {
                "jobRemindersEnabled", "job_reminders", "job-reminders", "job reminders", "JOB"
            } answered job_reminders_enabled, set job_reminders, get get_job_reminders;

            /// Marketing.
            MarketingUpdates "marketing is received" {
                "marketingUpdatesEnabled", "marketing_updates", "marketing-updates",
                "marketing", "MKT"
            } answered marketing_updates_enabled, set marketing_updates, get get_marketing_updates;

            /// The older, combined flag: true only when invoices and statements both are. The API
            /// computes it, so it is never set.
            InvoicesAndStatements "invoices and statements are received" {
                "invoiceStatementNotification", "invoice_statement_notification",
                "invoices-and-statements", "invoices and statements", "I+S"
            } answered invoice_statement_notification;

            /// Invoices.
            Invoices "invoices are received" {
                "invoiceNotification", "invoices", "invoices", "invoices", "INV"
            } answered invoice_notification or |combined| combined, set invoices, get get_invoices;

            /// Statements.
            Statements "statements are received" {
                "statementNotification", "statements", "statements", "statements", "STM"
            } answered statement_notification or |combined| combined, set statements, get get_statements;
        }
    };
}
pub(super) use preferences;

macro_rules! enumeration {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal {
            $api:literal, $column:literal, $option:literal, $words:literal, $heading:literal
        } answered $field:ident $(or |$combined:ident| $absent:expr)?
            $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        /// A preference of a contact, in the order of the published contract.
        ///
        /// ```
        /// use crm_models::Preference;
        ///
        /// let names: Vec<_> = Preference::ALL.into_iter().map(Preference::api_name).collect();
        /// assert_eq!(names[1], "marketingUpdatesEnabled");
        /// assert_eq!(Preference::MarketingUpdates.option(), "marketing-updates");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Preference {
            $($(#[$doc])* $flag,)*
        }

        impl Preference {
            /// All preferences.
            pub const ALL: [Self; [$($api),*].len()] = [$(Self::$flag),*];

            /// Returns the names that lists and exports have for it: the API's name alone, and as a
            /// member of the contact, with `preferences.` before it.
            #[must_use]
            pub const fn api_names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$flag => &[$api, concat!("preferences.", $api)],)*
                }
            }

            /// Returns the column in files of rows.
            #[must_use]
            pub const fn column(self) -> &'static str {
                match self { $(Self::$flag => $column,)* }
            }

            /// Returns the option of a command line, without its hyphens.
            #[must_use]
            pub const fn option(self) -> &'static str {
                match self { $(Self::$flag => $option,)* }
            }

            /// Returns the words that people use for it.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$flag => $words,)* }
            }

            /// Returns half a sentence that says that it is on.
            #[must_use]
            pub const fn received(self) -> &'static str {
                match self { $(Self::$flag => $received,)* }
            }

            /// Returns the heading of a narrow column.
            #[must_use]
            pub const fn heading(self) -> &'static str {
                match self { $(Self::$flag => $heading,)* }
            }

            /// Returns what it is at a service that does not answer it, given the combined flag;
            /// `None` where every service answers it.
            pub(super) const fn when_absent(self, combined: bool) -> Option<bool> {
                match self {
                    $($(Self::$flag => {
                        let $combined = combined;
                        Some($absent)
                    })?)*
                    _ => None,
                }
            }
        }
    };
}

preferences!(enumeration);

impl Preference {
    /// The preferences that can be set, which are all but the combined one.
    pub const SETTABLE: [Self; Self::ALL.len() - 1] = {
        let mut settable = [Self::ALL[0]; Self::ALL.len() - 1];
        let (mut at, mut found) = (0, 0);
        while at < Self::ALL.len() {
            if !Self::ALL[at].is_combined() {
                settable[found] = Self::ALL[at];
                found += 1;
            }
            at += 1;
        }
        settable
    };

    /// Whether this is the combined flag, which the API computes.
    #[must_use]
    pub const fn is_combined(self) -> bool {
        matches!(self, Self::InvoicesAndStatements)
    }

    /// Whether the combined flag includes it, so that a service from before May 2026, which knows
    /// three flags, does not know it by itself.
    #[must_use]
    pub const fn is_apart(self) -> bool {
        matches!(self, Self::Invoices | Self::Statements)
    }

    /// Returns the API's name.
    #[must_use]
    pub const fn api_name(self) -> &'static str {
        self.api_names()[0]
    }

    /// Returns the API's name as a member of the contact, with `preferences.` before it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.api_names()[1]
    }
}
