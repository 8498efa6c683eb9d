# Varnish before a node, behind whatever ends TLS (nginx, for example): a cache of public reads.
#
# Change what has the word EXAMPLE beside it. Then: varnishd -C -f deploy/varnish.vcl
# On the node: GUIDANCE_TRUSTED_PROXIES is the address of this machine.
#
# Varnish's own rules do the rest. It stores what a node marks as public, a variant for each language and media type (Vary);
# it stores nothing that says `no-store` or `no-cache`, such as concerns, the desk, and renditions, which must say at once that
# they are behind; and it passes every request with a credential or a cookie.

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
}
