//! The OpenAPI document of the sandbox, made from its list of operations.

use std::iter;

use http::{Method, StatusCode};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr,
        Required, Schema, Server,
        path::{self, HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem},
        request_body::RequestBodyBuilder,
        response::{ResponseBuilder, ResponsesBuilder},
        schema::{AdditionalProperties, ArrayBuilder, ComponentsBuilder},
        security::{
            ApiKey, ApiKeyValue, ClientCredentials, Flow, OAuth2, Scopes, SecurityRequirement,
            SecurityScheme,
        },
    },
};

use crate::{
    operation::{Answer, BASE, Operation, SchemaOf},
    parameter::{Kind, Parameter},
    problem::Problem,
    routes,
    tokens::all_scopes,
};

/// The parameter of [`BASE`].
const TENANT: Parameter = Parameter::new("tenant", Kind::Int64);

/// Makes the document of a sandbox that answers at this URL.
pub(crate) fn document(url: &str) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    for operation in routes::operations() {
        let answer = match &operation.answer {
            Answer::Empty => None,
            Answer::One(schema) | Answer::Array(schema) => Some(schema),
        };
        for schema in operation.body.iter().chain(answer) {
            (schema.collect)(&mut schemas);
        }
        let path = format!("{BASE}{}", operation.path);
        paths =
            paths.path(path, PathItem::new(http_method(&operation.method), describe(&operation)));
    }
    let components = schemas
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, closed(schema))
        })
        .security_scheme("oauth2", oauth2(url))
        .security_scheme(
            "appKey",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("ST-App-Key"))),
        );
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Sandbox of the ServiceTitan CRM v2 contacts API")
                .description(Some(
                    "Made from the code of the sandbox; not a document of the vendor.",
                ))
                .version(env!("CARGO_PKG_VERSION"))
                .build(),
        )
        .servers(Some([Server::new(url)]))
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

/// Says in the schema of an object that it has no members beyond those that are named.
fn closed(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema
        && !object.properties.is_empty()
    {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
    schema
}

fn describe(operation: &Operation) -> OperationBuilder {
    let tag = operation.id.split('_').next().unwrap_or_default();
    let mut described = OperationBuilder::new()
        .operation_id(Some(&operation.id))
        .tag(tag)
        .security(SecurityRequirement::new("oauth2", [&operation.scope]).add("appKey", [""; 0]));
    for known in iter::once(&TENANT).chain(&operation.path_parameters) {
        described = described.parameter(parameter(known, ParameterIn::Path));
    }
    for known in &operation.query {
        described = described.parameter(parameter(known, ParameterIn::Query));
    }
    if let Some(body) = &operation.body {
        let body = RequestBodyBuilder::new().content("application/json", content(reference(body)));
        described = described.request_body(Some(body.required(Some(Required::True)).build()));
    }
    described.responses(responses(operation))
}

/// Describes 200 and the documented refusals, then what every operation may answer.
fn responses(operation: &Operation) -> ResponsesBuilder {
    let ok = ResponseBuilder::new().description("Done");
    let ok = match &operation.answer {
        Answer::Empty => ok,
        Answer::One(schema) => ok.content("application/json", content(reference(schema))),
        Answer::Array(schema) => {
            let array = ArrayBuilder::new().items(reference(schema)).build();
            ok.content("application/json", content(array))
        }
    };
    let always = [401, 403, 429].iter().filter(|status| !operation.refusals.contains(status));
    let refusals = operation.refusals.iter().chain(always).map(|status| {
        let reason =
            StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let refusal = ResponseBuilder::new()
            .description(reason.unwrap_or("Refused"))
            .content("application/json", content(Ref::from_schema_name(Problem::name())));
        (status.to_string(), refusal.build())
    });
    ResponsesBuilder::new().response("200", ok.build()).responses_from_iter(refusals)
}

fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn parameter(known: &Parameter, place: ParameterIn) -> path::Parameter {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ => Required::False,
    };
    ParameterBuilder::new()
        .name(known.name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema_of(known.kind)))
        .build()
}

fn schema_of(kind: Kind) -> RefOr<Schema> {
    use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
    let formatted = |format| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(format)))
            .into()
    };
    match kind {
        Kind::Int32 => i32::schema(),
        Kind::Int64 => i64::schema(),
        Kind::Boolean => bool::schema(),
        Kind::Text => String::schema(),
        Kind::DateTime => formatted(KnownFormat::DateTime),
        Kind::Guid => formatted(KnownFormat::Uuid),
    }
}

fn reference(schema: &SchemaOf) -> Ref {
    Ref::from_schema_name(schema.name.as_ref())
}

fn oauth2(url: &str) -> SecurityScheme {
    let scopes = Scopes::from_iter(all_scopes().map(|scope| (scope.clone(), scope)));
    let token_url = format!("{url}/connect/token");
    SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(ClientCredentials::new(
        token_url, scopes,
    ))]))
}

fn http_method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
