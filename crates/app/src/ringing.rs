//! Calls that ring: what is known of one at its beginning is not said again at its end.

use quick_cache::sync::Cache;
use recado_model::{InstanceId, person::InboundCall};

/// Who hangs up is heard of within a minute; more calls than these do not ring at once.
const REMEMBERED: usize = 1_000;

/// A call that rings, as it began.
#[derive(Clone)]
pub(crate) struct Ringing {
    pub call: InboundCall,
    /// By the setting.
    pub declined: bool,
}

/// By the instance that is called and the call's id. Of the last process nothing is known.
pub(crate) struct RingingCalls(Cache<(InstanceId, String), Ringing>);

impl Default for RingingCalls {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl RingingCalls {
    pub fn begin(&self, instance: &InstanceId, ringing: Ringing) {
        let key = (instance.clone(), ringing.call.id.clone());
        self.0.insert(key, ringing);
    }

    /// `None` of one whose beginning was not heard.
    pub fn end(&self, instance: &InstanceId, id: &str) -> Option<Ringing> {
        let key = (instance.clone(), id.to_owned());
        self.0.remove(&key).map(|(_, ringing)| ringing)
    }
}
