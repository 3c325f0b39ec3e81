//! Types and validation for the contacts of the ServiceTitan CRM v2 API
