using System.Security.Cryptography;
using System.Text;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// Seals secrets that are stored and read again, such as signing secrets, with AES-256-GCM. The key is not in the database.
/// A sealed text is bound to its place: copied to another record it does not open.
/// </summary>
/// <param name="key">The sealing key, 32 bytes.</param>
public sealed class SecretBox(byte[] key)
{
    /// <summary>Length of the sealing key in bytes.</summary>
    public const int KeyBytes = 32;

    private const string Version = "v1:";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Seals a secret.</summary>
    /// <param name="secret">The bytes to seal.</param>
    /// <param name="place">The place it is stored in, e.g. the id of its record.</param>
    /// <returns>The sealed text, with its version: <c>v1:</c> and base64.</returns>
    public string Seal(ReadOnlySpan<byte> secret, string place)
    {
        var sealedBytes = new byte[NonceBytes + secret.Length + TagBytes];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        var body = sealedBytes.AsSpan(NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, secret, body[..secret.Length], body[secret.Length..], Encoding.UTF8.GetBytes(place));
        return Version + Convert.ToBase64String(sealedBytes);
    }

    /// <summary>Opens a sealed text.</summary>
    /// <param name="text">The text that <see cref="Seal"/> returned.</param>
    /// <param name="place">The place it was sealed for.</param>
    /// <exception cref="CryptographicException">The text was sealed with another key or for another place, or was changed.</exception>
    public byte[] Open(string text, string place)
    {
        if (!text.StartsWith(Version, StringComparison.Ordinal)) throw new CryptographicException("The sealed text has an unknown version.");
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Version.Length..], bytes, out var length) || length < NonceBytes + TagBytes)
            throw new CryptographicException("The sealed text is damaged.");
        bytes = bytes[..length];
        var secret = new byte[bytes.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes, secret.Length), bytes.AsSpan(^TagBytes), secret, Encoding.UTF8.GetBytes(place));
        return secret;
    }
}
