//! The doors of the store: what a caller names to get at rows.

use recado_model::{AccountId, InstanceId};

use crate::{
    accounts::AccountStore,
    db::{Conn, Store},
    device::DeviceStore,
    people::People,
    system::System,
};

impl Conn {
    /// The things of one account.
    pub fn account<'a>(&'a mut self, id: &AccountId) -> AccountStore<'a> {
        AccountStore::new(self, id.clone())
    }

    /// People, whichever accounts they are members of.
    pub fn people(&mut self) -> People<'_> {
        People::new(self)
    }

    /// Everything that sees all accounts.
    pub fn system(&mut self) -> System<'_> {
        System::new(self)
    }
}

impl Store {
    /// The rows of one instance's WhatsApp device.
    pub fn device(&self, account: &AccountId, instance: &InstanceId) -> DeviceStore {
        DeviceStore::new(self.clone(), account.clone(), instance.clone())
    }
}
