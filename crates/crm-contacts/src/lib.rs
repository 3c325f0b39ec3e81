//! The use cases of the ServiceTitan contacts API, over any transport
