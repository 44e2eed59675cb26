//! A visitor of the pages: forms, cookies by hand, no redirect followed.

use crate::client::{Answered, Served};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;

/// One browser without script.
pub struct Visitor {
    agent: Agent,
    url: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Visitor {
    pub fn new(served: &Served<'_>) -> Visitor {
        let config = Agent::config_builder()
            // A form that is refused before its body is read ends the connection, as browsers
            // expect; this agent would try the ended one once more.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Visitor {
            agent: config.into(),
            url: served.url.clone(),
            cookies: RefCell::default(),
        }
    }

    pub fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], "")
    }

    /// Posts a form.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answered {
        self.post_with(path, &[], fields)
    }

    /// Posts a form with more headers.
    pub fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answered {
        let body = serde_html_form::to_string(fields).unwrap();
        self.send("POST", path, headers, &body)
    }

    /// Posts a form with a file.
    pub fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, file: &[u8]) -> Answered {
        let mut body = Vec::new();
        for (field, value) in fields {
            let part = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.bytes());
        }
        let part = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(part.bytes());
        body.extend(file);
        body.extend(b"\r\n--edge--\r\n");
        let cookies = self.cookies.borrow().clone();
        let pairs: Vec<_> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = Request::builder()
            .method("POST")
            .uri(format!("{}{path}", self.url))
            .header("cookie", pairs.join("; "))
            .header("content-type", "multipart/form-data; boundary=edge");
        Answered::read(self.agent.run(request.body(&body[..]).unwrap()).unwrap())
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies = self.cookies.borrow().clone();
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        let answer = if method == "GET" {
            self.agent.run(request.body(()).unwrap())
        } else {
            let kind = "application/x-www-form-urlencoded";
            let request = request.header("content-type", kind);
            self.agent.run(request.body(body).unwrap())
        };
        let answered = Answered::read(answer.unwrap());
        for set in answered.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                let (name, value) = (name.to_owned(), value.to_owned());
                self.cookies.borrow_mut().insert(name, value);
            }
        }
        answered
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Takes a cookie that was not set by an answer.
    pub fn take_cookie(&self, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.cookies.borrow_mut().insert(name, value);
    }
}

impl Answered {
    /// A page with this status: HTML, kept nowhere, allowed to run nothing but our files, with one
    /// main heading. Its text.
    pub fn page(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(self.headers["cache-control"], "no-store");
        let policy = self.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(self.text.matches("<h1").count(), 1, "{}", self.text);
        for inline in [" style=", "<style", " onclick=", "javascript:"] {
            assert!(!self.text.contains(inline), "{inline} in {}", self.text);
        }
        &self.text
    }

    /// Where the browser is sent after a form was done.
    pub fn see(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.headers["location"].to_str().unwrap()
    }
}
