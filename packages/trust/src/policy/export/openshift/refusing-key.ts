/**
 * A public key that nobody holds the other half of: its point's x is SHA-256 of `Bulla: nobody holds
 * this key 2`, the first of such texts that gives a point of P-256, with the even y (a test makes it
 * anew). OpenShift's objects cannot say `reject`, and leaving a scope out would admit all of it; what
 * must be signed by this key is refused.
 */
export const REFUSING_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjswZEByikuyseIOs4tMRX5/0tpcC
m2KavTpdbP5lg5YzSOU5Q1cZGjZbSzWsV3+c+UWuxbD8Of6ALMAzlrkFng==
-----END PUBLIC KEY-----
`;
