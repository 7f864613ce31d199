//! The device itself.

use whatsapp_rust::{
    anyhow::{Result, anyhow},
    traits::Backend as WaBackend,
    wacore::store::Device,
};

use super::Transcript;

pub(super) async fn device(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
    t.note("none yet", b.exists().await?);
    t.note("id", b.create().await?);
    t.note("exists", b.exists().await?);
    let mut device = Device::new();
    device.push_name = "Ana".to_owned();
    device.pn = Some("5511999990001:4@s.whatsapp.net".parse()?);
    device.adv_secret_key = [7; 32];
    device.login_counter = 3;
    b.save(&device).await?;
    let loaded = b.load().await?.ok_or_else(|| anyhow!("no device"))?;
    t.note(
        "name",
        (
            &loaded.push_name,
            &loaded.pn,
            loaded.adv_secret_key,
            loaded.login_counter,
        ),
    );
    t.note(
        "keys survive",
        loaded.noise_key.private_key.serialize() == device.noise_key.private_key.serialize()
            && loaded.signed_pre_key_signature == device.signed_pre_key_signature,
    );
    Ok(())
}
