//! An async transport seam over HTTP for the ServiceTitan API, with composable layers
