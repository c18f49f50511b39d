/** Who functions run as inside a sandbox: the same user and group ids as on the real service. */
export const SANDBOX_UID = 993;
export const SANDBOX_GID = 990;
export const SANDBOX_USER = 'sbx_user1051';
