//! An operation of the API as one value.
//!
//! Routing, scopes, the request log, fault rules and the OpenAPI document all
//! come from the list that [`crate::routes::operations`] makes of these.

use std::borrow::Cow;

use axum::body::Body;
use http::{HeaderMap, Method, Response, StatusCode};
use rusqlite::Connection;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    body,
    clock::Clock,
    parameter::Parameter,
    path::{Path, PathParameters},
    problem::{Problem, json},
    query::{Paging, Query},
    settings::Settings,
    store::bookmarks::Bookmarks,
    time_text,
    tokens::Area,
};

/// The path before that of every operation.
pub(crate) const BASE: &str = "/crm/v2/tenant/{tenant}";

/// The user whom the API names as author of changes: the system.
pub(crate) const API_USER: i64 = 0;

/// One operation: what the contract says about it, and the function that does it.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The path below the tenant: `/locations/{id}/contacts`.
    pub(crate) path: &'static str,
    pub(crate) path_parameters: Vec<Parameter>,
    /// The OAuth scope that a token needs.
    pub(crate) scope: String,
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: Answer,
    /// The statuses that the contract lists beside 200.
    pub(crate) refusals: &'static [u16],
    run: Box<Run>,
}

/// The function that does an operation.
type Run = dyn Fn(&Call<'_>) -> Result<Reply, Problem> + Send + Sync;

/// The function that does an operation, given the values of its path. Every check comes before the
/// first change, because a refused request must leave nothing behind.
pub(crate) type Handler<P> = fn(&Call<'_>, P) -> Result<Reply, Problem>;

/// A schema of the OpenAPI document.
pub(crate) struct SchemaOf {
    pub(crate) name: Cow<'static, str>,
    pub(crate) collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    fn of<T: ToSchema>() -> Self {
        Self {
            name: T::name(),
            collect: |schemas| {
                schemas.push((T::name().into_owned(), T::schema()));
                T::schemas(schemas);
            },
        }
    }
}

/// What the body of an answer 200 is.
pub(crate) enum Answer {
    Empty,
    One(SchemaOf),
    /// A bare JSON array.
    Array(SchemaOf),
}

impl Operation {
    /// Makes an operation without query, body and answer, which refuses with 400 alone.
    pub(crate) fn new<P: PathParameters>(
        method: Method,
        id: &str,
        path: Path<P>,
        handler: Handler<P>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            method,
            path: path.template,
            path_parameters: path.parameters(),
            scope: String::new(),
            query: Vec::new(),
            body: None,
            answer: Answer::Empty,
            refusals: &[400],
            run: Box::new(move |call| handler(call, P::read(call.path)?)),
        }
    }

    /// Names the area, whose scope a token needs.
    pub(crate) fn within(mut self, area: Area) -> Self {
        self.scope = area.scope(self.writes());
        self
    }

    pub(crate) fn query(mut self, parameters: &[Parameter]) -> Self {
        self.query.extend_from_slice(parameters);
        self
    }

    pub(crate) fn body<T: ToSchema>(mut self) -> Self {
        self.body = Some(SchemaOf::of::<T>());
        self
    }

    pub(crate) fn answer<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::One(SchemaOf::of::<T>());
        self
    }

    pub(crate) fn answer_array<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Array(SchemaOf::of::<T>());
        self
    }

    pub(crate) fn refusals(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// Does the operation.
    pub(crate) fn run(&self, call: &Call<'_>) -> Result<Reply, Problem> {
        (self.run)(call)
    }

    pub(crate) fn writes(&self) -> bool {
        self.method != Method::GET
    }
}

/// A request that passed the checks of the gateway, and what it works on.
pub(crate) struct Call<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) bookmarks: &'a Bookmarks,
    pub(crate) settings: &'a Settings,
    pub(crate) clock: &'a Clock,
    /// The names and texts of the path's parameters below the tenant.
    pub(crate) path: &'a [(String, String)],
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// Reads which page of a list is asked for.
    pub(crate) fn paging(&self) -> Result<Paging, Problem> {
        self.query.paging(self.settings)
    }

    /// Reads the body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(self.headers, self.body, self.settings)
    }

    /// Returns a time for a change that no other change has, in the form of the store.
    pub(crate) fn now(&self) -> String {
        time_text::from_ticks(self.clock.stamp())
    }
}

/// An answer 200.
#[derive(Debug)]
pub(crate) enum Reply {
    Empty,
    Json(Vec<u8>),
}

impl Reply {
    /// Returns the answer on the wire.
    pub(crate) fn into_response(self, settings: &Settings) -> Response<Body> {
        match self {
            Self::Empty => Response::default(),
            Self::Json(body) if settings.zone_in_times => json(StatusCode::OK, body),
            Self::Json(body) => {
                let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
                time_text::without_zone(&mut answer);
                json(StatusCode::OK, answer.to_string().into_bytes())
            }
        }
    }

    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        serde_json::to_vec(value)
            .map(Self::Json)
            .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    }
}
