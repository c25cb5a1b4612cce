//! The table itself: one row a kind of secret.
//!
//! Two rules keep the search fast on any text, and a test walks every row for them. Nothing unbounded stands before the
//! last thing that a row needs: it matches or fails within a bounded stretch, so no text is gone over again and again. And
//! what is counted is letters, digits and `_` alone: within such a run no other row can begin, so their states add up and
//! do not multiply. How long a run of other characters must be is looked at behind the match instead. Rows are ASCII only,
//! which keeps the automaton small.
//!
//! Absent on purpose: forms that only a maker's name nearby gives away, and identifiers that are no secrets (account ids,
//! publishable keys).

/// Which values are taken, of those that the row's form allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// Every one.
    Any,
    /// One that is no word, path or piece of code.
    Random,
    /// One with a character that words and names in code don't have.
    Unwordly,
}

/// Secrets that their own form gives away: name, form, and how many bytes it has at least.
pub(super) const TOKENS: &[(&str, &str, usize)] = &[
    // Clouds.
    (
        "AWS access key id",
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        20,
    ),
    (
        "AWS access key id in base64",
        r"\bQ(?:UtJQ|VNJQ)[A-Za-z0-9+/]+={0,2}",
        26,
    ),
    ("AWS Bedrock key", r"\bABSK[A-Za-z0-9+/]+={0,2}", 100),
    (
        "AWS Bedrock key, short-term",
        r"\bbedrock-api-key-[A-Za-z0-9+/=]+",
        40,
    ),
    ("Google API key", r"\bAIza[A-Za-z0-9_\-]+", 39),
    ("Google authorisation key", r"\bAQ\.[A-Za-z0-9_\-]+", 38),
    ("Google access token", r"\bya29\.[A-Za-z0-9_\-.]+", 25),
    ("Google refresh token", r"\b1//0[A-Za-z0-9_\-]+", 44),
    ("Google client secret", r"\bGOCSPX-[A-Za-z0-9_\-]+", 35),
    (
        "Azure client secret",
        r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.\-]+",
        37,
    ),
    ("Alibaba access key id", r"\bLTAI[A-Za-z0-9]{20}\b", 24),
    ("DigitalOcean token", r"\bdo[opr]_v1_[0-9a-f]{64}", 71),
    ("Cloudflare token", r"\bcf(?:ut|at|k)_[A-Za-z0-9_\-]+", 44),
    ("Heroku key", r"\bHRKU-[A-Za-z0-9_\-]+", 41),
    ("Fly token", r"\bfm[12]_[A-Za-z0-9+/=]+", 44),
    (
        "Supabase token",
        r"\bsb(?:p_[0-9a-f]{40}|_secret_[A-Za-z0-9_\-]+)",
        30,
    ),
    (
        "PlanetScale token",
        r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_\-.=]+",
        42,
    ),
    ("Databricks token", r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b", 36),
    // Code and packages. The tail of a GitHub installation's token can be a JWT.
    ("GitHub token", r"\bgh[pousr]_[A-Za-z0-9_.\-]+", 40),
    (
        "GitHub fine-grained token",
        r"\bgithub_pat_[A-Za-z0-9_]+",
        33,
    ),
    (
        "GitLab token",
        r"\bgl(?:pat|ptt|dt|rtr?|cbt|ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_.\-]+",
        25,
    ),
    ("Bitbucket password", r"\bATBB[A-Za-z0-9_=\-]+", 36),
    (
        "Atlassian token",
        r"\bAT(?:ATT|CTT|STT)3[A-Za-z0-9_=.\-]+",
        56,
    ),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36,}", 40),
    ("PyPI token", r"\bpypi-[A-Za-z0-9_\-]+", 55),
    ("RubyGems key", r"\brubygems_[0-9a-f]{48}", 57),
    ("crates.io token", r"\bcio[A-Za-z0-9]{32}\b", 35),
    ("Docker token", r"\bdckr_[po]at_[A-Za-z0-9_\-]+", 36),
    ("Artifactory key", r"\bAKCp[A-Za-z0-9]{60,}", 64),
    (
        "Sourcegraph token",
        r"\bsgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}",
        44,
    ),
    (
        "Terraform Cloud token",
        r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=\-]+",
        83,
    ),
    ("Pulumi token", r"\bpul-[0-9a-f]{40}", 44),
    (
        "Doppler token",
        r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._\-]+",
        46,
    ),
    ("Vault token", r"\bhv[sbr]\.[A-Za-z0-9_\-]+", 28),
    ("age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}", 74),
    (
        "1Password service account",
        r"\bops_eyJ[A-Za-z0-9+/=_\-]+",
        107,
    ),
    ("Postman key", r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}", 64),
    (
        "Sentry token",
        r"\bsntry(?:u_[0-9a-f]{64}|s_[A-Za-z0-9+/=_\-]+)",
        67,
    ),
    (
        "Grafana service account",
        r"\bglsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}",
        46,
    ),
    ("Grafana Cloud token", r"\bglc_[A-Za-z0-9+/]+={0,2}", 36),
    ("New Relic key", r"\bNRAK-[A-Z0-9]{27}", 32),
    ("Tailscale key", r"\btskey-[a-z]{2,10}-[A-Za-z0-9_\-]+", 29),
    // Models.
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_\-]+", 27),
    (
        "OpenAI key",
        r"\bsk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]+",
        28,
    ),
    ("OpenRouter key", r"\bsk-or-v1-[0-9a-f]{64}", 73),
    ("Langfuse key", r"\bsk-lf-[0-9a-f\-]+", 42),
    ("OpenAI key, older form", r"\bsk-[A-Za-z0-9]{32,}", 35),
    (
        "Hugging Face token",
        r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}",
        33,
    ),
    ("Groq key", r"\bgsk_[A-Za-z0-9]{40,}", 44),
    ("xAI key", r"\bxai-[A-Za-z0-9]{60,}", 64),
    ("Perplexity key", r"\bpplx-[A-Za-z0-9]{40,}", 45),
    ("Replicate token", r"\br8_[A-Za-z0-9]{37,}", 40),
    ("Cerebras key", r"\bcsk-[a-z0-9]{40,}", 44),
    ("Together key", r"\btgp_v1_[A-Za-z0-9_\-]+", 47),
    ("Tavily key", r"\btvly-[A-Za-z0-9\-]+", 35),
    ("Firecrawl key", r"\bfc-[0-9a-f]{32}\b", 35),
    (
        "LangSmith key",
        r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        51,
    ),
    // Work and messages.
    (
        "Slack token",
        r"\bxox(?:(?:[abcoprs]|e(?:\.xox[bp])?)-[0-9][A-Za-z0-9\-]*|d-[A-Za-z0-9%+/]+)",
        15,
    ),
    ("Slack app token", r"\bxapp-[0-9]-[A-Za-z0-9\-]+", 27),
    (
        "Slack hook",
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]+",
        45,
    ),
    (
        "Teams hook",
        r"\.webhook\.office\.com/webhookb2/[A-Za-z0-9@\-/]+",
        72,
    ),
    (
        "Discord token",
        r"\b[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]+",
        59,
    ),
    (
        "Discord hook",
        r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{1,20}/[A-Za-z0-9_\-]+",
        27,
    ),
    ("Telegram token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]+", 44),
    ("Twilio key", r"\bSK[0-9a-f]{32}\b", 34),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_.\-]+", 69),
    ("Mailgun key", r"\bkey-[0-9a-f]{32}\b", 36),
    ("Mailchimp key", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b", 36),
    ("Brevo key", r"\bxkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}", 89),
    ("Resend key", r"\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}", 32),
    ("Linear key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}", 40),
    (
        "Notion token",
        r"\b(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}\b)",
        44,
    ),
    ("Airtable token", r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}", 82),
    ("Figma token", r"\bfig[dou]r?_[A-Za-z0-9_\-]+", 45),
    ("HubSpot token", r"\bpat-(?:na|eu|ap)[0-9]-[0-9a-f\-]+", 44),
    ("Contentful token", r"\bCFPAT-[A-Za-z0-9_\-]+", 49),
    // Money and shops.
    (
        "Stripe key",
        r"\b[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,}",
        24,
    ),
    (
        "Signing secret of a hook",
        r"\bwhsec_[A-Za-z0-9+/]+={0,2}",
        30,
    ),
    (
        "Shopify token",
        r"\bshp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",
        38,
    ),
    ("Square token", r"\bsq0(?:atp|csp)-[A-Za-z0-9_\-]+", 29),
    // A private key: its header, and its body where it is in the same text.
    (
        "Private key",
        r"-----BEGIN (?:[A-Z0-9]{1,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\:,\-]*",
        27,
    ),
];

/// A name, and what may stand between it and its value: in JSON (also inside of JSON), YAML, code, headers and XML.
macro_rules! assigned {
    ($names:literal) => {
        concat!(
            $names,
            r#"["'\\]{0,4}(?:\s{0,8}[:=]{1,2}>?\s{0,8}|>)["'\\]{0,4}"#
        )
    };
}

const KEY: &str = r"[A-Za-z0-9_./+=\-]+";
const BASE64: &str = r"[A-Za-z0-9+/]+={0,2}";
/// As far as a password can be told from what follows it. Variables (`$NAME`), tags and rows of asterisks are none.
const PASSWORD: &str = r"[!%+\-./0-9A-Z^_a-z~][!#$%*+\-./0-9:=?@A-Z^_a-z~]*";

/// A value that what stands before it gives away. It alone is taken, so that a line stays readable.
pub(super) struct Named {
    pub(super) before: &'static str,
    /// Never begins with what `before` could go on with.
    pub(super) value: &'static str,
    pub(super) bytes_min: usize,
    pub(super) judge: Judge,
}

const fn named(before: &'static str, value: &'static str, bytes_min: usize, judge: Judge) -> Named {
    Named {
        before,
        value,
        bytes_min,
        judge,
    }
}

/// Each with its name.
pub(super) const NAMED: &[(&str, Named)] = &[
    (
        "AWS secret access key",
        named(
            assigned!("(?i:secret_?access_?key|aws_?secret_?key)"),
            BASE64,
            40,
            Judge::Any,
        ),
    ),
    (
        "Azure account key",
        named(
            assigned!("(?i:account_?key|shared_?access_?key)"),
            BASE64,
            43,
            Judge::Any,
        ),
    ),
    (
        "Key by its name",
        named(
            assigned!(
                "(?i:(?:api|app|access|account|auth|bot|client|encryption|id|private|refresh|secret|security|session|\
                 signing|subscription|vault|webhook)[_-]?(?:key|secret|token))"
            ),
            KEY,
            16,
            Judge::Random,
        ),
    ),
    (
        "Variable of an environment",
        named(
            assigned!(r"(?:_|\b)(?:SECRET|TOKEN)"),
            KEY,
            16,
            Judge::Random,
        ),
    ),
    (
        "Secret without a further name",
        named(
            assigned!(r#"(?:\A|[\s"'{,;?&(<])(?i:secret|token)"#),
            KEY,
            16,
            Judge::Random,
        ),
    ),
    (
        "Password in an environment",
        named(
            r#"(?:PASSWORD|PASSWD|PASSPHRASE)=["'\\]{0,4}"#,
            PASSWORD,
            6,
            Judge::Any,
        ),
    ),
    (
        "Password by its name",
        named(
            assigned!(r"(?i:password|passwd|passphrase|\bpwd|_pwd)"),
            PASSWORD,
            6,
            Judge::Unwordly,
        ),
    ),
    (
        "Option of a command",
        named(
            r"--(?i:password|passphrase|token|secret|api-key|access-token|auth-token)[\s=]{1,4}",
            PASSWORD,
            6,
            Judge::Unwordly,
        ),
    ),
    (
        "Signature in an address",
        named(
            r"[?&;](?i:sig|signature|x-amz-signature|x-goog-signature)=",
            r"[A-Za-z0-9%+/_\-]+={0,2}",
            16,
            Judge::Random,
        ),
    ),
    (
        "Bearer token",
        named(
            r"\b(?i:bearer)\s{1,8}",
            r"[A-Za-z0-9._~+/=\-]+",
            16,
            Judge::Random,
        ),
    ),
    (
        "Authorisation header",
        named(
            concat!(
                assigned!("(?i:authorization)"),
                r"(?i:basic|token|apikey|api-key|bot|splunk)\s{1,8}"
            ),
            r"[A-Za-z0-9._~+/=:\-]+",
            8,
            Judge::Any,
        ),
    ),
    (
        "Basic authorisation",
        named(r"\bBasic\s{1,8}", BASE64, 8, Judge::Unwordly),
    ),
];

/// A user and a password in an address. Searched for by itself: where other secrets can stand inside of what may
/// still fail, the states of all of them would multiply.
pub(super) const ADDRESS: &str = r"://[A-Za-z0-9._~%!*+,=\-]{0,64}:[A-Za-z0-9._~%!+,;=?^|\-][A-Za-z0-9._~%!*$&()+,;=:?^|\-]{0,127}@";

/// Two parts of JSON in base64, a header and claims. By itself, since a header has no bound.
pub(super) const JWT: &str =
    r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?";
