//! Images of a registry that this machine reaches, with the credentials that `docker login` left.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use futures::StreamExt as _;
use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;

use crate::model::{chain, parsed_reference};

/// What may be had of a registry: image-spec's two kinds, and Docker's.
const MANIFESTS: [&str; 4] = [OCI_IMAGE_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE];
/// Under what docker keeps Docker Hub's credentials.
const HUB: &str = "https://index.docker.io/v1/";
/// What a helper says that knows of no credentials (docker-credential-helpers: credentials/error.go).
const NOT_FOUND: &str = "credentials not found in native keychain";
/// For connecting, and for a credential helper to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a registry may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// A repository of a registry.
pub(super) struct Registry {
    client: Client,
    image: Reference,
    auth: RegistryAuth,
}

impl Registry {
    /// Contacts nothing yet but a credential helper.
    pub(super) async fn of(image: &str) -> Result<Self, String> {
        let image = parsed_reference(image)?;
        let host = image.resolve_registry().to_owned();
        let protocol = if loops_back(&host) { ClientProtocol::HttpsExcept(vec![host]) } else { ClientProtocol::Https };
        let config = ClientConfig {
            protocol,
            connect_timeout: Some(PATIENCE),
            read_timeout: Some(SILENCE),
            user_agent: concat!("bedplate/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| error.to_string())?;
        let auth = credentials(image.registry()).await?;
        Ok(Self { client, image, auth })
    }

    /// A manifest or an index, as the registry has it; `digest`: another than that which is named. None: there is none.
    pub(super) async fn manifest(&self, digest: Option<&str>) -> Result<Option<Vec<u8>>, String> {
        let image = digest.map_or_else(|| self.image.clone(), |digest| self.image.clone_with_digest(digest.to_owned()));
        match self.client.pull_manifest_raw(&image, &self.auth, &MANIFESTS).await {
            Ok((text, _)) => Ok(Some(text.into())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.told(&error)),
        }
    }

    /// Writes a blob, which must be of this size and digest.
    pub(super) async fn blob(
        &self,
        digest: &str,
        size: u64,
        into: &mut (dyn Write + Send),
        sent: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), String> {
        let lost = |error: &dyn std::fmt::Display| format!("{digest} of {}: {error}", self.image);
        let mut chunks = self.client.pull_blob_stream(&self.image, digest).await.map_err(|error| self.told(&error))?;
        let mut taken = 0;
        // The stream ends with an error if the digest is another.
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| lost(&error))?;
            taken += chunk.len() as u64;
            if taken > size {
                return Err(lost(&format_args!("it is longer than the {size} bytes of its manifest")));
            }
            into.write_all(&chunk).map_err(|error| lost(&error))?;
            sent(chunk.len() as u64);
        }
        if taken < size { Err(lost(&format_args!("it ends after {taken} of {size} bytes"))) } else { Ok(()) }
    }

    fn told(&self, error: &OciDistributionError) -> String {
        let (image, registry) = (&self.image, self.image.registry());
        let known = match self.auth {
            RegistryAuth::Anonymous => "without credentials, and docker's config.json holds none",
            _ => "with the credentials in docker's config.json",
        };
        match error {
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                format!("{registry} does not let us read {image} {known}: `docker login {registry}`")
            }
            OciDistributionError::RequestError(error) => {
                format!("{registry} can't be asked for {image}: {}", chain(error))
            }
            other => format!("{image}: {other}"),
        }
    }
}

fn is_absent(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::RegistryError { envelope, .. } => envelope
            .errors
            .iter()
            .any(|error| matches!(error.code, OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound)),
        OciDistributionError::ServerError { code, .. } => *code == 404,
        _ => false,
    }
}

/// Whether a registry is on this machine: Docker, too, speaks to it without TLS.
fn loops_back(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What `docker login` left for a registry; a helper may be asked, which takes its time.
async fn credentials(registry: &str) -> Result<RegistryAuth, String> {
    let server = if registry == "docker.io" { HUB } else { registry }.to_owned();
    let asked = tokio::task::spawn_blocking(move || configured(&server));
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let answer =
        answer.map_err(|_| "its helper does not answer".to_owned()).and_then(|joined| joined.map_err(|error| error.to_string())?);
    answer.map_err(|why| format!("the credentials for {registry} in docker's config.json: {why}"))
}

fn configured(server: &str) -> Result<RegistryAuth, String> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let Some(folder) = folder.or_else(|| etcetera::home_dir().ok().map(|home| home.join(".docker"))) else {
        return Ok(RegistryAuth::Anonymous);
    };
    let file = match File::open(folder.join("config.json")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(RegistryAuth::Anonymous),
        Err(error) => return Err(error.to_string()),
    };
    match docker_credential::get_credential_from_reader(BufReader::new(file), server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => Err("identity tokens are not understood; log in by name and access token".into()),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(RegistryAuth::Anonymous),
        Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if stdout.trim() == NOT_FOUND => Ok(RegistryAuth::Anonymous),
        // What it says beside that may be a secret.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => Err(format!("{helper} fails")),
        Err(CredentialRetrievalError::ConfigReadError) => Err("it can't be understood".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registry_on_this_machine_is_spoken_to_in_clear() {
        for registry in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3"] {
            assert!(loops_back(registry), "{registry}");
        }
        for registry in ["ghcr.io", "registry:5000", "10.0.0.1:5000", "localhost.example:5000", "128.0.0.1"] {
            assert!(!loops_back(registry), "{registry}");
        }
    }
}
