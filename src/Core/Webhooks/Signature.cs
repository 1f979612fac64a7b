using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NodeStash.Core.Webhooks;

/// <summary>Signs and verifies deliveries by Standard Webhooks 1.0.0: HMAC-SHA256 over <c>{id}.{timestamp}.{body}</c>, one signature per live secret.</summary>
public static class Signature
{
    private const string Scheme = "v1,";

    /// <summary>Returns the value of the <c>webhook-signature</c> header: one signature per secret, separated by spaces.</summary>
    /// <param name="secrets">The secrets' bytes, at least one.</param>
    /// <param name="id">The event's id, as in <c>webhook-id</c>.</param>
    /// <param name="timestamp">The time of the attempt, as in <c>webhook-timestamp</c>.</param>
    /// <param name="body">The bytes of the request body.</param>
    public static string Sign(IEnumerable<byte[]> secrets, string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        var signed = Signed(id, timestamp.ToUnixTimeSeconds(), body);
        return string.Join(' ', secrets.Select(secret => Scheme + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }

    /// <summary>Whether one of the signatures is valid and its timestamp within the tolerance of now. Compares in constant time.</summary>
    /// <param name="secret">The secret in base64, with or without <c>whsec_</c> before it.</param>
    /// <param name="id">The <c>webhook-id</c> header.</param>
    /// <param name="timestamp">The <c>webhook-timestamp</c> header.</param>
    /// <param name="signatures">The <c>webhook-signature</c> header.</param>
    /// <param name="body">The bytes received.</param>
    /// <param name="now">The receiver's time.</param>
    /// <param name="tolerance">How far the timestamp may lie from now, either way. Standard Webhooks suggests 5 minutes.</param>
    public static bool Verify(string secret, string id, string timestamp, string signatures, ReadOnlySpan<byte> body, DateTimeOffset now, TimeSpan tolerance)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (Math.Abs(now.ToUnixTimeSeconds() - seconds) > tolerance.TotalSeconds) return false;
        var hasPrefix = secret.StartsWith(WebhookOperations.SecretPrefix, StringComparison.Ordinal);
        var bytes = Convert.FromBase64String(hasPrefix ? secret[WebhookOperations.SecretPrefix.Length..] : secret);
        var expected = Encoding.ASCII.GetBytes(Scheme + Convert.ToBase64String(HMACSHA256.HashData(bytes, Signed(id, seconds, body))));
        var matches = false;
        foreach (var signature in signatures.Split(' ')) matches |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), expected);
        return matches;
    }

    private static byte[] Signed(string id, long seconds, ReadOnlySpan<byte> body) =>
        [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{seconds}.")), .. body];
}
