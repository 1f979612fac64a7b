using NodeStash.Core.Values;

namespace NodeStash.Core.Webhooks;

/// <summary>Outcomes of an attempt to deliver. The delivery log shows them in snake_case; docs/webhooks.md explains them.</summary>
public enum AttemptOutcome
{
    /// <summary>Answered 2xx in time.</summary>
    Delivered,

    /// <summary>Answered 3xx: redirects are not followed.</summary>
    Status3xx,

    /// <summary>Answered 4xx other than 410.</summary>
    Status4xx,

    /// <summary>Answered 410: the endpoint is disabled.</summary>
    Gone,

    /// <summary>Answered 5xx, or a status that HTTP does not know.</summary>
    Status5xx,

    /// <summary>Connected, but no whole answer within 15 s.</summary>
    Timeout,

    /// <summary>The name did not resolve.</summary>
    DnsFailure,

    /// <summary>The address may not be called (docs/api/webhooks.md, Addresses).</summary>
    RefusedAddress,

    /// <summary>The TLS handshake failed, or the certificate is not valid for the host.</summary>
    TlsFailure,

    /// <summary>The connection was refused, reset or broke off.</summary>
    ConnectionFailure,

    /// <summary>Nothing was sent: the event is older than its retention of 30 days.</summary>
    Expired,

    /// <summary>The answer was not HTTP, or its headers were larger than 16 KiB.</summary>
    InvalidAnswer,

    /// <summary>Not connected within 15 s.</summary>
    ConnectTimeout,
}

/// <summary>Renders outcomes for users.</summary>
public static class AttemptOutcomes
{
    /// <summary>Returns the name on the wire, e.g. <c>dns_failure</c>.</summary>
    public static string Name(this AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Status3xx => "status_3xx",
        AttemptOutcome.Status4xx => "status_4xx",
        AttemptOutcome.Status5xx => "status_5xx",
        _ => Text.ToSnakeCase(outcome.ToString()),
    };

    /// <summary>Explains a failure in a sentence for the owner of the receiver; null for a success.</summary>
    public static string? Error(this AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Delivered => null,
        AttemptOutcome.Status3xx => "The endpoint answered with a redirect, which is not followed: set the URL to the address it redirects to",
        AttemptOutcome.Status4xx => "The endpoint refused the event with a 4xx status",
        AttemptOutcome.Gone => "The endpoint answered 410 Gone, which disables it",
        AttemptOutcome.Status5xx => "The endpoint failed",
        AttemptOutcome.Timeout => "There was no whole answer within 15 s",
        AttemptOutcome.ConnectTimeout => "There was no connection within 15 s",
        AttemptOutcome.DnsFailure => "The host's name did not resolve",
        AttemptOutcome.RefusedAddress => "The host's address is not public",
        AttemptOutcome.TlsFailure => "TLS failed: no common version, or a certificate that is expired, not trusted or for another host",
        AttemptOutcome.ConnectionFailure => "The connection was refused or broke off",
        AttemptOutcome.Expired => "The event is older than 30 days and is not kept any more",
        AttemptOutcome.InvalidAnswer => "The answer was not HTTP, or its headers were larger than 16 KiB",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };
}
