using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Access;

/// <summary>
/// Generates, checks and hashes the secrets of API keys. A secret is <c>nds_live_</c> or <c>nds_test_</c>, 30 random base62 characters, and a checksum:
/// 6 base62 characters of the CRC-32 (IEEE 802.3) of everything before. It refuses a mistyped or cut secret without a look-up. Source:
/// docs/api/access.md, API keys.
/// </summary>
public static class ApiKeySecret
{
    /// <summary>Prefix of secrets that open the live environment.</summary>
    public const string LivePrefix = "nds_live_";

    /// <summary>Prefix of secrets that open the test environment.</summary>
    public const string TestPrefix = "nds_test_";

    /// <summary>Number of leading characters of a secret that may be shown, to tell keys apart.</summary>
    public const int ShownPrefix = 12;

    private const int RandomLength = 30;
    private const int ChecksumLength = 6;
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Generates a secret from a cryptographic random generator.</summary>
    public static string New(WorkspaceEnvironment environment)
    {
        var body = (environment is WorkspaceEnvironment.Live ? LivePrefix : TestPrefix) + RandomNumberGenerator.GetString(Digits, RandomLength);
        return body + Checksum(body);
    }

    /// <summary>Whether a text has the form and the checksum of a secret. The key need not exist.</summary>
    public static bool IsWellFormed(string secret)
    {
        if (secret.Length != LivePrefix.Length + RandomLength + ChecksumLength) return false;
        if (!secret.StartsWith(LivePrefix, StringComparison.Ordinal) && !secret.StartsWith(TestPrefix, StringComparison.Ordinal)) return false;
        var body = secret[..^ChecksumLength];
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Checksum(body)), Encoding.UTF8.GetBytes(secret[^ChecksumLength..]));
    }

    /// <summary>Returns the hash that is stored of a secret: lower-case hex of its SHA-256. A secret has 178 random bits, so no slow hash is needed.</summary>
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static string Checksum(string body)
    {
        var crc = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(body));
        return string.Create(ChecksumLength, crc, static (span, rest) =>
        {
            for (var i = span.Length - 1; i >= 0; i--)
            {
                (rest, var digit) = Math.DivRem(rest, 62u);
                span[i] = Digits[(int)digit];
            }
        });
    }
}
