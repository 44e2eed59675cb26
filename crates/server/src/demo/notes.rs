//! What the demo tells a newcomer: where to click, and which accounts, PINs and cards to use.

use serde::{Deserialize, Serialize};

/// A customer to sign in as.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoCustomer {
    /// What is special about it.
    pub about: String,
    /// The account number.
    pub number: String,
    /// The PIN.
    pub pin: String,
    /// The id, for the API.
    pub customer_id: String,
    /// An order that is to be sent, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<String>,
}

/// A vendor of the demo.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoVendor {
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What there is to see.
    pub about: String,
    /// Customers to sign in as.
    pub customers: Vec<DemoCustomer>,
    /// The name of a member of staff.
    pub staff: String,
    /// Its password.
    pub staff_password: String,
    /// A key for the API with all scopes.
    pub api_key: String,
}

/// A member of the mall beside the shops.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoMember {
    /// Its short name.
    pub slug: String,
    /// A key for the API with all scopes.
    pub api_key: String,
}

/// All of it; kept beside the demo's database, so that a second start tells the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoNotes {
    /// The vendors.
    pub vendors: Vec<DemoVendor>,
    /// What else belongs to the mall: a manufacturer, a franchise.
    pub members: Vec<DemoMember>,
}

impl DemoNotes {
    /// The notes on one vendor.
    pub fn vendor(&self, slug: &str) -> Option<&DemoVendor> {
        self.vendors.iter().find(|v| v.slug == slug)
    }
}
