# Varnish before a node, behind whatever ends TLS (nginx, for example): a cache of public reads.
#
# Change what has the word EXAMPLE beside it. Then: varnishd -C -f deploy/varnish.vcl
# On the node: GUIDANCE_TRUSTED_PROXIES is the address of this machine.
#
# Varnish's own rules do the rest. It stores what a node marks as public, a variant for each language and media type (Vary);
# it stores nothing that says `no-store` or `no-cache`, such as concerns, the desk, and renditions, which must say at once that
# they are behind; and it passes every request with a credential or a cookie.
#
# While the node cannot answer a read, it gives its copy of the last week, as the node allows (stale-if-error).

vcl 4.1;

backend default {
    .host = "10.0.0.11"; # EXAMPLE
    .port = "8000";      # EXAMPLE
    .connect_timeout = 2s;
    .first_byte_timeout = 60s;
}

sub vcl_recv {
    if (req.url ~ "^/metrics") {
        return (synth(404)); # for the monitoring, on the node's own address
    }
    if (req.restarts == 0) {
        set req.grace = 10m; # while the node answers: stale-while-revalidate
    } else {
        set req.grace = 7d;
    }
}

sub vcl_backend_response {
    if (beresp.status == 200 && beresp.http.Cache-Control ~ "stale-if-error") {
        set beresp.grace = 7d;
    }
    if (beresp.status == 503 && !bereq.uncacheable) {
        if (bereq.is_bgfetch) {
            return (abandon); # the copy stays
        }
        set beresp.ttl = 0s;
        set beresp.grace = 0s;
        return (deliver);
    }
}

sub vcl_deliver {
    # A read, which may be repeated, of what is the same for all callers: with the longer time, a copy is found if there is one.
    if (resp.status == 503 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD") && !req.http.Authorization
        && !req.http.Cookie) {
        return (restart);
    }
}

sub vcl_backend_error {
    set beresp.http.Content-Type = "application/problem+json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "10";
    synthetic("""{"type": "about:blank", "title": "The service cannot be reached", "status": 503, "detail": "In immediate danger call 999. If you sent a concern, telephone the duty team, or send it again with the same Idempotency-Key."}""");
    return (deliver);
}
