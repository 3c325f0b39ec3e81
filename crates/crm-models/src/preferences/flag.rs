//! Which preferences there are: the one table of their names, from which everything else follows.

use super::{ContactPreferencesRequest, PreferenceChange, values::Values};

/// The names of a preference.
struct Names {
    /// Alone, and as a member of the contact.
    api: [&'static str; 2],
    column: &'static str,
    option: &'static str,
    words: &'static str,
    received: &'static str,
    heading: &'static str,
}

/// A preference is one entry: what it is; its name in the API, also with `preferences.` before it;
/// the field of the answer; the column, setter and getter that it has where it can be set; its
/// option, words and heading.
macro_rules! preferences {
    ($(
        $(#[$doc:meta])*
        $flag:ident: $api:literal,
            answered $field:ident, column $column:literal, option $option:literal,
            words $words:literal, $received:literal, $heading:literal
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

        /// In the order of [`Preference::ALL`].
        const NAMES: &[Names] = &[$(Names {
            api: [$api, concat!("preferences.", $api)],
            column: $column,
            option: $option,
            words: $words,
            received: $received,
            heading: $heading,
        },)*];

        impl Preference {
            /// All of them.
            pub const ALL: [Self; NAMES.len()] = [$(Self::$flag,)*];
        }

        /// The flags as the API answers them.
        ///
        /// Invoices and statements came apart in May 2026: where both are absent, they are taken from
        /// the combined flag, and [`derived`](Self::derived) says so. They are written with the
        /// members that were read, so that a contact that was stored is the same when it is read
        /// again, and a service of three flags is known by its answers. A contact without this object
        /// has unknown preferences.
        ///
        /// In a test they are made from a request:
        ///
        /// ```
        /// use crm_models::{ContactPreferences, ContactPreferencesRequest};
        ///
        /// let request = ContactPreferencesRequest::new(true, false, true, false);
        /// let answered = ContactPreferences::from(request);
        /// assert!(answered.invoice_notification && !answered.invoice_statement_notification);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct ContactPreferences {
            $($(#[$doc])* pub $field: bool,)*
            /// The service knows three flags: invoices and statements were absent and follow the
            /// combined flag.
            pub derived: bool,
        }

        impl ContactPreferences {
            pub(super) fn new(flags: Values<bool>, derived: bool) -> Self {
                Self {
                    $($field: flags[Preference::$flag],)*
                    derived,
                }
            }

            /// Whether this is received.
            #[must_use]
            pub const fn get(&self, preference: Preference) -> bool {
                match preference {
                    $(Preference::$flag => self.$field,)*
                }
            }
        }

        impl PreferenceChange {
            $($(
                #[doc = concat!("Sets whether ", $received, ".")]
                pub const fn $setter(self, on: bool) -> Self {
                    self.set(Preference::$flag, on)
                }

                #[doc = concat!("Whether ", $received, ", if that is set.")]
                #[must_use]
                pub const fn $getter(&self) -> Option<bool> {
                    self.get(Preference::$flag)
                }
            )?)*
        }

        impl ContactPreferencesRequest {
            /// The independent flags, in the present form of five members.
            #[must_use]
            pub const fn new($($($setter: bool,)?)*) -> Self {
                let mut flags = Values::of(false);
                $($(flags.set(Preference::$flag, $setter);)?)*
                Self::combining(flags)
            }

            $($(
                #[doc = concat!("Whether ", $received, ".")]
                #[must_use]
                pub const fn $setter(&self) -> bool {
                    self.get(Preference::$flag)
                }
            )?)*
        }
    };
}

preferences! {
    /// Reminders of jobs.
    JobReminders: "jobRemindersEnabled",
        answered job_reminders_enabled, column "job_reminders", option "job-reminders",
        words "job reminders", "job reminders are received", "JOB",
        set job_reminders, get get_job_reminders;
    /// Marketing.
    MarketingUpdates: "marketingUpdatesEnabled",
        answered marketing_updates_enabled, column "marketing_updates", option "marketing-updates",
        words "marketing", "marketing is received", "MKT",
        set marketing_updates, get get_marketing_updates;
    /// The older, combined flag: true only when invoices and statements both are. The API computes
    /// it, so it is never set.
    InvoicesAndStatements: "invoiceStatementNotification",
        answered invoice_statement_notification, column "invoice_statement_notification",
        option "invoices-and-statements",
        words "invoices and statements", "invoices and statements are received", "I+S";
    /// Invoices.
    Invoices: "invoiceNotification",
        answered invoice_notification, column "invoices", option "invoices",
        words "invoices", "invoices are received", "INV",
        set invoices, get get_invoices;
    /// Statements.
    Statements: "statementNotification",
        answered statement_notification, column "statements", option "statements",
        words "statements", "statements are received", "STM",
        set statements, get get_statements;
}

impl Preference {
    /// Those that can be set.
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

    /// Whether it is the combined flag, which the API computes.
    #[must_use]
    pub const fn is_combined(self) -> bool {
        matches!(self, Self::InvoicesAndStatements)
    }

    /// Whether the combined flag stands for it, so that a service from before May 2026, which knows
    /// three flags, does not know it by itself.
    #[must_use]
    pub const fn is_apart(self) -> bool {
        matches!(self, Self::Invoices | Self::Statements)
    }

    const fn names(self) -> &'static Names {
        &NAMES[self as usize]
    }

    /// The API's name.
    #[must_use]
    pub const fn api_name(self) -> &'static str {
        self.names().api[0]
    }

    /// The API's name as a member of the contact: with `preferences.` before it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.names().api[1]
    }

    /// Both: the names that lists and exports have for it.
    #[must_use]
    pub const fn api_names(self) -> &'static [&'static str] {
        &self.names().api
    }

    /// The column in files of rows.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.names().column
    }

    /// The option of a command line, without its hyphens.
    #[must_use]
    pub const fn option(self) -> &'static str {
        self.names().option
    }

    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.names().words
    }

    /// That it is on, as half a sentence.
    #[must_use]
    pub const fn received(self) -> &'static str {
        self.names().received
    }

    /// The heading of a narrow column.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        self.names().heading
    }
}
