//! A plain HTTP client for the tests, written apart from the sandbox.
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use crm_sandbox::Sandbox;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

/// A client that holds an access token.
pub struct Client {
    http: reqwest::Client,
    base: String,
    app_key: String,
    pub token: String,
}

/// A status and a JSON body; null for an empty one.
pub type Answer = (u16, Value);

impl Client {
    pub async fn new(sandbox: &Sandbox) -> Self {
        let connection = sandbox.connection();
        let http = reqwest::Client::new();
        let (status, answer) = token(
            sandbox,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &connection.client_id),
                ("client_secret", &connection.client_secret),
            ],
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        Self {
            http,
            base: format!("{}/crm/v2/tenant/{}", connection.api_url, connection.tenant),
            app_key: connection.app_key.clone(),
            token: answer["access_token"].as_str().unwrap().to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("ST-App-Key", &self.app_key)
    }

    /// GETs any URL over the connections of this client.
    pub async fn get_url(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        answer(self.request(method, path).json(&body).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }
}

pub async fn token(sandbox: &Sandbox, form: &[(&str, &str)]) -> Answer {
    let url = format!("{}/connect/token", sandbox.connection().auth_url);
    answer(reqwest::Client::new().post(url).form(form).send().await.unwrap()).await
}

pub async fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    let json = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    (status, json)
}

/// The ids of the records on a page.
pub fn ids(page: &Value) -> Vec<i64> {
    page["data"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
