//! The crm command: contacts of the ServiceTitan CRM v2 API from a terminal
fn main() {}
