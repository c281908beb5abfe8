//! Google's OAuth 2.0: the consent page, which consents at once, and the token endpoint (RFC 6749, RFC 7636, RFC 7523).

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::world::{CLIENT_ID, CLIENT_SECRET, Code, Granted, Pairs, World, machine_time};
use crate::{SERVICE_EMAIL, SERVICE_KEY, SERVICE_KEY_ID};

/// Whom an assertion is for: always this, wherever it is sent to.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How far an assertion's time may be from ours, and how long it may be good, in seconds.
const SKEW: u64 = 300;
const ASSERTION_MAX: i64 = 3600;

pub(crate) fn get<'p>(pairs: &'p Pairs, name: &str) -> Option<&'p str> {
    let found = pairs.iter().find(|(field, _)| field == name);
    found
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

impl World {
    /// The consent page: whoever sits at the browser consents, and is sent back with a code.
    pub fn consent(&mut self, query: &Pairs) -> Result<String, Error> {
        let missing = |name: &str| {
            let description = format!("Missing required parameter: {name}");
            Error::token(400, "invalid_request", &description)
        };
        let wanted = |name: &str| get(query, name).ok_or_else(|| missing(name));
        if wanted("client_id")? != CLIENT_ID {
            let description = "The OAuth client was not found.";
            return Err(Error::token(401, "invalid_client", description));
        }
        let redirect_uri = wanted("redirect_uri")?.to_owned();
        if wanted("response_type")? != "code" {
            let description = "Invalid response_type";
            return Err(Error::token(400, "unsupported_response_type", description));
        }
        let asked = wanted("scope")?;
        let challenge = get(query, "code_challenge").map(str::to_owned);
        if challenge.is_some() && get(query, "code_challenge_method") != Some("S256") {
            let description = "Only S256 is taken.";
            return Err(Error::token(400, "invalid_request", description));
        }
        let state = get(query, "state").unwrap_or_default();
        let account = self.signed_in.clone().filter(|_| !self.refuses_consent);
        let Some(account) = account else {
            let answer = [("error", "access_denied"), ("state", state)];
            return Ok(with_query(&redirect_uri, &answer));
        };
        let ticked = asked
            .split_whitespace()
            .filter(|scope| !self.unticked.contains(*scope));
        let scope = ticked.collect::<Vec<_>>().join(" ");
        let code = self.name("4/0");
        let consent = Code {
            is_lasting: self.is_lasting(&account, query),
            granted: Granted {
                account,
                scope: scope.clone(),
            },
            redirect_uri: redirect_uri.clone(),
            challenge,
        };
        self.codes.insert(code.clone(), consent);
        let answer = [
            ("state", state),
            ("code", code.as_str()),
            ("scope", scope.as_str()),
        ];
        Ok(with_query(&redirect_uri, &answer))
    }

    /// Whether a consent brings a refresh token: the first one does, and one that was asked for anew.
    fn is_lasting(&self, account: &str, query: &Pairs) -> bool {
        let mut known = self.refresh_tokens.values();
        let had_consented = known.any(|granted| granted.account == account);
        let asks_anew = get(query, "prompt").is_some_and(|prompt| prompt.contains("consent"));
        get(query, "access_type") == Some("offline") && (asks_anew || !had_consented)
    }

    /// The token endpoint. The client is named in the form or by HTTP Basic.
    pub fn token(&mut self, form: &Pairs, authorization: &str) -> Result<Value, Error> {
        match get(form, "grant_type") {
            Some("authorization_code") => {
                known_client(form, authorization)?;
                self.by_code(form)
            }
            Some("refresh_token") => {
                known_client(form, authorization)?;
                self.by_refresh_token(form)
            }
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => self.by_assertion(form),
            Some(other) => {
                let description = format!("Invalid grant_type: {other}");
                Err(Error::token(400, "unsupported_grant_type", &description))
            }
            None => Err(Error::token(
                400,
                "invalid_request",
                "Missing required parameter: grant_type",
            )),
        }
    }

    /// Takes a token back. A refresh token takes its access tokens with it.
    pub fn revoke_token(&mut self, token: Option<&str>) -> Result<Value, Error> {
        let token = token.unwrap_or_default();
        let granted = self.refresh_tokens.remove(token);
        let granted = granted.or_else(|| self.access_tokens.remove(token));
        let unknown = || Error::token(400, "invalid_token", "Token expired or revoked");
        let granted = granted.ok_or_else(unknown)?;
        self.access_tokens
            .retain(|_, other| other.account != granted.account);
        Ok(json!({}))
    }

    fn by_code(&mut self, form: &Pairs) -> Result<Value, Error> {
        let bad = |description: &str| Error::token(400, "invalid_grant", description);
        // A code is good for one attempt.
        let code = get(form, "code").and_then(|code| self.codes.remove(code));
        let code = code.ok_or_else(|| bad("Bad Request"))?;
        if get(form, "redirect_uri") != Some(code.redirect_uri.as_str()) {
            return Err(Error::token(400, "redirect_uri_mismatch", "Bad Request"));
        }
        if let Some(challenge) = &code.challenge {
            let verifier =
                get(form, "code_verifier").ok_or_else(|| bad("Missing code verifier."))?;
            let is_long_enough = (43..=128).contains(&verifier.len());
            if !is_long_enough
                || BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())) != *challenge
            {
                return Err(bad("Invalid code verifier."));
            }
        }
        let refresh = code.is_lasting.then(|| self.grant(code.granted.clone()));
        let mut answer = self.access(code.granted);
        if let Some(refresh) = refresh {
            answer["refresh_token"] = refresh.into();
        }
        Ok(answer)
    }

    fn by_refresh_token(&mut self, form: &Pairs) -> Result<Value, Error> {
        let token = get(form, "refresh_token").unwrap_or_default();
        let granted = self.refresh_tokens.get(token).cloned();
        let granted = granted.ok_or_else(|| {
            Error::token(400, "invalid_grant", "Token has been expired or revoked.")
        })?;
        Ok(self.access(granted))
    }

    fn by_assertion(&mut self, form: &Pairs) -> Result<Value, Error> {
        let bad = |description: &str| Error::token(400, "invalid_grant", description);
        let claims = verified(get(form, "assertion").unwrap_or_default()).map_err(bad)?;
        let text = |name: &str| claims[name].as_str();
        if text("iss") != Some(SERVICE_EMAIL) {
            return Err(bad("Invalid grant: account not found"));
        }
        if text("aud") != Some(AUDIENCE) {
            return Err(bad("Invalid JWT: wrong audience"));
        }
        let (Some(issued), Some(expires)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
            return Err(bad("Invalid JWT: iat and exp must be numbers"));
        };
        let now = machine_time().timestamp();
        let is_short = (1..=ASSERTION_MAX).contains(&(expires - issued));
        if !is_short || issued.abs_diff(now) > SKEW || expires <= now {
            return Err(bad(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            ));
        }
        let scope = text("scope").unwrap_or_default().to_owned();
        if scope.is_empty() {
            return Err(Error::token(400, "invalid_scope", "Empty scope"));
        }
        let account = match text("sub") {
            None => SERVICE_EMAIL.to_owned(),
            Some(_) if !self.is_delegated => {
                let description = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of \
                                   the scopes requested.";
                return Err(Error::token(401, "unauthorized_client", description));
            }
            Some(subject) if self.accounts.contains_key(subject) => subject.to_owned(),
            Some(_) => return Err(bad("Invalid email or User ID")),
        };
        Ok(self.access(Granted { account, scope }))
    }

    /// A new refresh token.
    pub fn grant(&mut self, granted: Granted) -> String {
        let token = self.name("1//0");
        self.refresh_tokens.insert(token.clone(), granted);
        token
    }

    fn access(&mut self, granted: Granted) -> Value {
        let token = self.name("ya29.");
        let answer = json!({
            "access_token": token, "expires_in": self.token_seconds, "scope": granted.scope, "token_type": "Bearer"
        });
        self.access_tokens.insert(token, granted);
        answer
    }
}

fn known_client(form: &Pairs, authorization: &str) -> Result<(), Error> {
    let basic = authorization
        .strip_prefix("Basic ")
        .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    let named = match &basic {
        Some(pair) => pair.split_once(':'),
        None => get(form, "client_id").zip(get(form, "client_secret")),
    };
    let unknown = |description: &str| Error::token(401, "invalid_client", description);
    match named {
        Some((CLIENT_ID, CLIENT_SECRET)) => Ok(()),
        Some((CLIENT_ID, _)) => Err(unknown("Unauthorized")),
        Some(_) => Err(unknown("The OAuth client was not found.")),
        None => Err(Error::token(
            400,
            "invalid_request",
            "client_secret is missing.",
        )),
    }
}

/// The claims of an assertion that the service account's key has signed.
fn verified(assertion: &str) -> Result<Value, &'static str> {
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
    let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok();
    let malformed = "Invalid JWT: malformed";
    let (signed, signature) = assertion.rsplit_once('.').ok_or(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(malformed)?;
    let header = json(header).ok_or(malformed)?;
    if header["alg"] != "RS256" {
        return Err("Invalid JWT: only RS256 is taken");
    }
    if !header["kid"].is_null() && header["kid"] != SERVICE_KEY_ID {
        return Err("Invalid JWT: unknown key");
    }
    let public =
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key().ok_or(malformed)?);
    let signature = decoded(signature).ok_or(malformed)?;
    public
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "Invalid JWT Signature.")?;
    json(claims).ok_or(malformed)
}

/// The public half of the key, in DER.
fn public_key() -> Option<Vec<u8>> {
    let body: String = SERVICE_KEY
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let key = BASE64.decode(body.as_bytes()).ok()?;
    let key = KeyPair::from_pkcs8(&key).ok()?;
    Some(key.public_key().as_ref().to_vec())
}

fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let separator = if address.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{address}{separator}{query}")
}
