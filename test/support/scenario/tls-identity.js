'use strict';

// A certificate of a server named localhost, for a hundred years. Its key protects nothing.

const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUL4F5QtbKXpZnDDYadzniQ9nuIFcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzIwMzgyNVoYDzIxMjYxMTAz
MjAzODI1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAThmIoRjsu1oAQp9KPQTPPlDujJ2H6FYv1BF0yt7psBVkyNW9f3UHMp
LsnoEgs5bdqviDPgCzZdj7+/bxfB5jpzo28wbTAdBgNVHQ4EFgQUmEjO2TNZdTCv
OrYKOdg5jO0Mn4wwHwYDVR0jBBgwFoAUmEjO2TNZdTCvOrYKOdg5jO0Mn4wwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgJu0eJ5Uijuksmozw7em/BMAkBybC2R6zwuM+TtRGpI0CIQCI
rXLSpRvRJ16vvJSAOOgdsGGfC4F4wln4Z42JO5zUQw==
-----END CERTIFICATE-----`;

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQyWsmomlHj1iTMWr
fqf8kHmYP9iunj2JDIaD7h/F9HuhRANCAAThmIoRjsu1oAQp9KPQTPPlDujJ2H6F
Yv1BF0yt7psBVkyNW9f3UHMpLsnoEgs5bdqviDPgCzZdj7+/bxfB5jpz
-----END PRIVATE KEY-----`;

module.exports = { cert, key };
