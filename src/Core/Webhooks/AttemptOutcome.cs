namespace NodeStash.Core.Webhooks;

/// <summary>What one attempt to deliver came to; shown in the delivery log in snake_case.</summary>
public enum AttemptOutcome
{
    /// <summary>Answered 2xx in time.</summary>
    Delivered,

    /// <summary>Answered 3xx: redirects are not followed.</summary>
    Redirected,

    /// <summary>Answered 4xx other than 410.</summary>
    ClientError,

    /// <summary>Answered 410: the endpoint is disabled.</summary>
    Gone,

    /// <summary>Answered 5xx, or a status that HTTP does not know.</summary>
    ServerError,

    /// <summary>No whole answer within 15 s.</summary>
    Timeout,

    /// <summary>The name did not resolve.</summary>
    DnsFailure,

    /// <summary>The address may not be called (contract/webhooks.md, SSRF).</summary>
    RefusedAddress,

    /// <summary>TLS could not be agreed on, or the certificate is not valid for the host.</summary>
    TlsFailure,

    /// <summary>The connection was refused, reset or broke off.</summary>
    ConnectionFailure,

    /// <summary>Nothing was sent: the event had passed its 30 days.</summary>
    Expired,
}
