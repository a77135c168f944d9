"""Options of sections that concern calls: we read over those, but know what they were meant for."""

from __future__ import annotations

from typing import Final

# fmt: off
_ENDPOINT: Final = (
    "100rel", "accountcode", "acl", "aggregate_mwi", "allow", "allow_overlap",
    "allow_subscribe", "allow_transfer", "aors", "asymmetric_rtp_codec", "auth", "bundle",
    "call_group", "callerid", "callerid_privacy", "callerid_tag", "connected_line_method",
    "context", "cos_audio", "cos_video", "deny", "device_state_busy_at", "devicestate_busy_at",
    "direct_media", "direct_media_method", "disallow", "dtls_ca_file", "dtls_ca_path",
    "dtls_cert_file", "dtls_cipher", "dtls_fingerprint", "dtls_private_key", "dtls_rekey",
    "dtls_setup", "dtls_verify", "dtmf_mode", "fax_detect", "force_avp", "force_rport",
    "from_domain", "from_user", "g726_non_standard", "ice_support", "identify_by",
    "inband_progress", "language", "mailboxes", "max_audio_streams", "max_video_streams",
    "media_address", "media_encryption", "media_use_received_transport", "message_context",
    "moh_suggest", "mwi_from_user", "named_call_group", "named_pickup_group",
    "one_touch_recording", "permit", "pickup_group", "preferred_codec_only",
    "refer_blind_progress", "rewrite_contact", "rpid_immediate", "rtcp_mux", "rtp_engine",
    "rtp_ipv6", "rtp_symmetric", "rtp_timeout", "rtp_timeout_hold", "sdp_owner", "sdp_session",
    "send_diversion", "send_pai", "send_rpid", "set_var", "srtp_tag_32", "stir_shaken",
    "sub_min_expiry", "suppress_q850_reason_headers", "t38_udptl", "timers", "timers_min_se",
    "timers_sess_expires", "tone_zone", "trust_id_inbound", "trust_id_outbound", "use_avpf",
    "use_ptime", "user_eq_phone", "voicemail_extension", "webrtc",
)
_AOR: Final = (
    "authenticate_qualify", "contact", "default_expiration", "max_contacts",
    "maximum_expiration", "minimum_expiration", "qualify_frequency", "qualify_timeout",
    "remove_existing", "remove_unavailable",
)
_IDENTIFY: Final = ("match", "match_header", "srv_lookups")
# fmt: on

CALLS: Final = (
    dict.fromkeys(_ENDPOINT, "endpoint")
    | dict.fromkeys(_AOR, "aor")
    | dict.fromkeys(_IDENTIFY, "identify")
)
"""Each option and the type of section it belongs to."""

TYPES: Final = frozenset(
    {
        "acl", "aor", "asterisk-publication", "contact", "domain_alias", "endpoint", "identify",
        "inbound-publication", "outbound-publish", "phoneprov", "profile", "resource_list",
        "subscription_persistence", "attestation", "verification",
    }
)  # fmt: skip
"""Types of sections that are read over."""
