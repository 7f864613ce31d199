//! The account at a glance, as `get_shop_status` shows it.

use recado_identity::Calls;
use recado_model::{
    Account, ConnectionState, Error, Language, Result,
    instance::{InstanceQuery, InstanceSort},
};

use crate::App;

pub struct Shop<'a> {
    pub(crate) app: &'a App,
}

#[derive(Clone, Debug)]
pub struct ShopStatus {
    pub account: Account,
    pub instances: u64,
    pub connected: u64,
    /// Instances that are refused because nobody pays for them.
    pub unpaid: u64,
    pub by_state: Vec<(ConnectionState, u64)>,
}

impl Shop<'_> {
    /// The account itself.
    pub async fn account(&self, by: &dyn Calls) -> Result<Account> {
        let mut conn = self.app.core.store.read().await?;
        let account = conn.account(&by.caller().account).account().await?;
        account.ok_or_else(Error::unauthorized)
    }

    /// The language of its assistant's answers.
    pub async fn language(&self, by: &dyn Calls) -> Result<Language> {
        let account = self.account(by).await?;
        Ok(Language::parse(&account.language).unwrap_or_default())
    }

    pub async fn status(&self, by: &dyn Calls) -> Result<ShopStatus> {
        let caller = by.caller();
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(&caller.account);
        let account = store.account().await?.ok_or_else(Error::unauthorized)?;
        let query = InstanceQuery {
            page: 1,
            size: 1,
            query: None,
            sort: InstanceSort::CreatedAt,
            descending: false,
            scope: caller.scope.clone(),
        };
        let page = store.instances(&query).await?;
        let all = store.all_instances().await?;
        let unpaid = all.iter().filter(|instance| {
            caller.scope.allows(&instance.id) && self.app.billing().require(instance).is_err()
        });
        let by_state: Vec<_> = page
            .by_state
            .into_iter()
            .map(|(state, n)| (state, u64::try_from(n).unwrap_or(0)))
            .collect();
        let connected = by_state
            .iter()
            .filter(|(state, _)| *state == ConnectionState::Connected)
            .map(|(_, n)| n)
            .sum();
        Ok(ShopStatus {
            account,
            instances: u64::try_from(page.total).unwrap_or(0),
            connected,
            unpaid: unpaid.count() as u64,
            by_state,
        })
    }
}
