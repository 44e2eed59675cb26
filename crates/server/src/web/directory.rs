//! The first page: the shops of this node, and in the demo how to get in.

use super::frame::page;
use super::view::{Shell, mark_path};
use crate::demo::DemoVendor;
use crate::error::Result;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::vendor::{EntityKind, Hue, storefront, vendors};

#[derive(Template)]
#[template(path = "directory.html")]
struct DirectoryPage {
    shell: Shell,
    shops: Vec<Entry>,
    is_demo: bool,
}

/// A shop in the directory.
struct Entry {
    name: String,
    href: String,
    headline: String,
    /// What kind of business it is; empty for a vendor.
    kind: &'static str,
    hue: Hue,
    mark: String,
    demo: Option<DemoVendor>,
}

/// `GET /`.
pub async fn directory(State(app): State<App>) -> Result<Response> {
    let demo = app.demo.clone();
    let shops = app
        .read(move |tx| {
            let mut shops = Vec::new();
            for vendor in vendors(tx)? {
                let front = storefront(tx, vendor.book_id)?;
                shops.push(Entry {
                    href: format!("/shops/{}", vendor.slug),
                    headline: front.headline,
                    kind: match vendor.kind {
                        EntityKind::Vendor => "",
                        kind => kind.words(),
                    },
                    hue: front.hue,
                    mark: mark_path(front.mark),
                    demo: demo.as_ref().and_then(|d| d.vendor(&vendor.slug)).cloned(),
                    name: vendor.name,
                });
            }
            Ok::<_, crate::error::Problem>(shops)
        })
        .await?;
    page(&DirectoryPage {
        shell: Shell::outside("Shops with tokens of their own"),
        shops,
        is_demo: app.demo.is_some(),
    })
}
