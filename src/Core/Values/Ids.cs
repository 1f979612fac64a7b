using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NodeStash.Core.Values;

/// <summary>
/// Makes and checks ids: a prefix and 20 base62 digits, most significant first. The digits encode a 119-bit number. Its upper 49 bits count units of
/// 10 µs since 2020-01-01 UTC (enough until 2198). Its lower 70 bits are random. Source: docs/api/v1.md.
/// </summary>
/// <remarks>
/// The digits are in ASCII order, so an ordinal comparison of two ids with one prefix compares their times. Each id made by one <see cref="Ids"/> is
/// greater than the one before, even if the clock goes back: a second id in the same 10 µs takes the next unit.
/// </remarks>
/// <param name="clock">Tells the time that ids contain.</param>
public sealed class Ids(TimeProvider clock)
{
    /// <summary>The number of characters after the prefix.</summary>
    public const int Length = 20;

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomBits = 70;
    private const long TicksPerUnit = TimeSpan.TicksPerMicrosecond * 10;
    private static readonly long Epoch = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private long last;

    /// <summary>Makes an id that is greater than every id this object made before. Thread-safe.</summary>
    /// <param name="prefix">The prefix with its underscore, e.g. <c>ct_</c>.</param>
    public string New(string prefix)
    {
        var now = (clock.GetUtcNow().UtcTicks - Epoch) / TicksPerUnit;
        long unit, seen;
        do
        {
            seen = Volatile.Read(ref last);
            unit = Math.Max(now, seen + 1);
        }
        while (Interlocked.CompareExchange(ref last, unit, seen) != seen);

        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        return Format(prefix, (UInt128)(ulong)unit << RandomBits | LowBits(random));
    }

    /// <summary>
    /// Derives an id from another id and a text. The same pair always gives the same id. Use it for records that exist once per pair, such as the
    /// delivery of an event to an endpoint. The id keeps the time of <paramref name="timed"/>; a SHA-256 hash gives its other 70 bits.
    /// </summary>
    /// <param name="prefix">The prefix of the derived id, with its underscore.</param>
    /// <param name="timed">The id whose time the derived id keeps.</param>
    /// <param name="with">The text, e.g. the id of the endpoint.</param>
    public static string Derive(string prefix, string timed, string with)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(timed + "\n" + with), hash);
        return Format(prefix, Number(timed) >> RandomBits << RandomBits | LowBits(hash));
    }

    /// <summary>Gets the time when an id was made, to 10 µs, by the clock of its maker.</summary>
    /// <param name="id">A valid id with any prefix; other texts give a meaningless time.</param>
    public static DateTimeOffset TimeOf(string id) => new(Epoch + ((long)(Number(id) >> RandomBits) * TicksPerUnit), TimeSpan.Zero);

    /// <summary>Gives the lowest id of a time: ids made at that time or later are not below it, and ids made before are.</summary>
    public static string FirstAt(string prefix, DateTimeOffset time) =>
        Format(prefix, (UInt128)Math.Max(0, (time.UtcTicks - Epoch) / TicksPerUnit) << RandomBits);

    /// <summary>Tells whether a text is this prefix and 20 base62 digits.</summary>
    public static bool IsId(ReadOnlySpan<char> id, ReadOnlySpan<char> prefix)
    {
        if (id.Length != prefix.Length + Length || !id.StartsWith(prefix, StringComparison.Ordinal)) return false;
        foreach (var c in id[prefix.Length..])
        {
            if (!char.IsAsciiLetterOrDigit(c)) return false;
        }

        return true;
    }

    /// <summary>Gives a regular expression (ECMA-262) that matches exactly the ids with a prefix.</summary>
    public static string Pattern(string prefix) => $"^{prefix}[0-9A-Za-z]{{{Length}}}$";

    /// <summary>Gives the error message for a text that is not an id with this prefix.</summary>
    public static string Expected(string prefix) => $"Expected an id of the form {prefix} and {Length} letters or digits";

    /// <summary>Tells whether a text is any prefix of at most five characters, with its underscore, and 20 base62 digits.</summary>
    public static bool IsAnyId(string id) => id.IndexOf('_', StringComparison.Ordinal) is > 0 and < 5 and var end && IsId(id, id.AsSpan(0, end + 1));

    private static UInt128 LowBits(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes) & ((UInt128.One << RandomBits) - 1);

    private static UInt128 Number(string id)
    {
        var number = UInt128.Zero;
        foreach (var c in id.AsSpan(id.Length - Length)) number = number * 62 + (uint)Digits.IndexOf(c, StringComparison.Ordinal);
        return number;
    }

    private static string Format(string prefix, UInt128 number) => string.Create(prefix.Length + Length, (prefix, number), static (span, state) =>
    {
        state.prefix.CopyTo(span);
        // Splits the number into two halves of ten digits, so that the divisions by 62 are 64-bit.
        const ulong Half = 839_299_365_868_340_224; // 62^10
        var (high, low) = UInt128.DivRem(state.number, Half);
        WriteDigits(span[state.prefix.Length..(state.prefix.Length + 10)], (ulong)high);
        WriteDigits(span[(state.prefix.Length + 10)..], (ulong)low);
    });

    private static void WriteDigits(Span<char> span, ulong number)
    {
        for (var i = span.Length - 1; i >= 0; i--)
        {
            (number, var digit) = Math.DivRem(number, 62);
            span[i] = Digits[(int)digit];
        }
    }
}
