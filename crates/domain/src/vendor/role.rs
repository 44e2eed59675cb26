//! Who of the staff may do what.

use crate::text::named;

named! {
    /// What a member of staff may be here for.
    Role, "the role" {
        /// Everything.
        Owner = "owner",
        /// Everything but the policy of the shop, staff and keys.
        Manager = "manager",
        /// Customers, token orders and orders.
        Cashier = "cashier",
        /// Only look.
        Auditor = "auditor",
    }
}

named! {
    /// What staff do, in groups that are open to a role or not.
    Permission, "the permission" {
        /// Register and help customers, check who they are, close accounts.
        Customers = "customers",
        /// Take, clear and fail orders of tokens.
        TokenOrders = "token_orders",
        /// Orders, refunds, shipping.
        Orders = "orders",
        /// Give tokens, take them back, merge accounts, erase a person.
        Adjust = "adjust",
        /// Products, stock, imports.
        Catalogue = "catalogue",
        /// Prices, bundles, promotions, coupons.
        Prices = "prices",
        /// Close periods of the books.
        Books = "books",
        /// Run the mall whose office the vendor is.
        Mall = "mall",
        /// Messages and webhooks.
        Messages = "messages",
        /// Settings and storefront.
        Policy = "policy",
        /// Staff and keys.
        Staff = "staff",
    }
}

impl Role {
    /// True when the role may do it. Looking is open to all roles.
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Role::Owner => true,
            Role::Manager => !matches!(permission, Permission::Policy | Permission::Staff),
            Role::Cashier => matches!(
                permission,
                Permission::Customers | Permission::TokenOrders | Permission::Orders
            ),
            Role::Auditor => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Role};

    /// The table of roles, as people read it.
    #[test]
    fn roles_may_what_the_table_says() {
        let table = [
            (Permission::Customers, [true, true, true, false]),
            (Permission::TokenOrders, [true, true, true, false]),
            (Permission::Orders, [true, true, true, false]),
            (Permission::Adjust, [true, true, false, false]),
            (Permission::Catalogue, [true, true, false, false]),
            (Permission::Prices, [true, true, false, false]),
            (Permission::Books, [true, true, false, false]),
            (Permission::Mall, [true, true, false, false]),
            (Permission::Messages, [true, true, false, false]),
            (Permission::Policy, [true, false, false, false]),
            (Permission::Staff, [true, false, false, false]),
        ];
        assert_eq!(table.len(), Permission::ALL.len());
        for (permission, expected) in table {
            let found = Role::ALL.iter().map(|role| role.may(permission));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{permission}");
        }
    }
}
