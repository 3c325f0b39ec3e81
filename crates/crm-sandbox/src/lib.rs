//! The contacts part of the ServiceTitan CRM v2 API as a local server on SQLite
