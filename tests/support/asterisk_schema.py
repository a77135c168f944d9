"""The tables of accounts as an Asterisk's own migrations leave them: words of few as types of their
own, names in text of bounded length, numbers, and columns that are none of ours."""

from __future__ import annotations

_TYPES = """\
CREATE TYPE yesno_values AS ENUM ('yes', 'no');
CREATE TYPE ast_bool_values AS ENUM ('0', '1', 'off', 'on', 'false', 'true', 'no', 'yes');
CREATE TYPE pjsip_auth_type_values_v2 AS ENUM ('md5', 'userpass', 'google_oauth', 'digest');
CREATE TYPE security_negotiation_values AS ENUM ('no', 'mediasec');
"""
_REGISTRATIONS = """\
CREATE TABLE ps_registrations (
  id VARCHAR(255) NOT NULL UNIQUE,
  auth_rejection_permanent ast_bool_values,
  client_uri VARCHAR(255),
  contact_user VARCHAR(255),
  expiration INTEGER,
  max_retries INTEGER,
  outbound_auth VARCHAR(255),
  outbound_proxy VARCHAR(1024),
  retry_interval INTEGER,
  forbidden_retry_interval INTEGER,
  server_uri VARCHAR(255),
  transport VARCHAR(128),
  support_path ast_bool_values,
  fatal_retry_interval INTEGER,
  line ast_bool_values,
  endpoint VARCHAR(255),
  support_outbound ast_bool_values,
  contact_header_params VARCHAR(255),
  max_random_initial_delay INTEGER,
  security_negotiation security_negotiation_values,
  security_mechanisms VARCHAR(512),
  user_agent VARCHAR(255)
);
CREATE INDEX ps_registrations_id ON ps_registrations (id);
"""
_AUTHS = """\
CREATE TABLE ps_auths (
  id VARCHAR(255) NOT NULL UNIQUE,
  auth_type pjsip_auth_type_values_v2,
  nonce_lifetime INTEGER,
  md5_cred VARCHAR(40),
  password VARCHAR(255),
  realm VARCHAR(255),
  username VARCHAR(255),
  refresh_token VARCHAR(255),
  oauth_clientid VARCHAR(255),
  oauth_secret VARCHAR(255),
  password_digest VARCHAR(1024),
  supported_algorithms_uas VARCHAR(1024),
  supported_algorithms_uac VARCHAR(1024)
);
CREATE INDEX ps_auths_id ON ps_auths (id);
"""
#: what operators add for themselves
_OWN = """\
ALTER TABLE ps_registrations
  ADD COLUMN tenant INTEGER NOT NULL DEFAULT 7,
  ADD COLUMN "Made" TIMESTAMPTZ DEFAULT now(),
  ADD COLUMN notes JSONB DEFAULT '{"a": [1]}',
  ADD COLUMN tags TEXT[] DEFAULT '{x,y}',
  ADD COLUMN type TEXT DEFAULT 'customer';
ALTER TABLE ps_auths ADD COLUMN tenant INTEGER, ADD COLUMN "order" TEXT DEFAULT ';';
"""


def statements() -> str:
    """What makes them."""
    return _TYPES + _REGISTRATIONS + _AUTHS + _OWN
