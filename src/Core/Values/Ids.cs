using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NodeStash.Core.Values;

/// <summary>
/// Makes and checks the ids of docs/api/v1.md: a prefix and 20 base62 characters, the big-endian digits of a 119-bit number
/// whose upper 49 bits count units of 10 µs since 2020-01-01 UTC (enough until 2198) and whose lower 70 bits are random.
/// </summary>
/// <remarks>
/// The digits are in ASCII order, so ordinal comparison of two ids of one prefix is comparison by time. Within one
/// <see cref="Ids"/> every id is greater than the one before, whatever the clock does: a second id in the same 10 µs takes the next unit.
/// </remarks>
public sealed class Ids(TimeProvider clock)
{
    /// <summary>Characters after the prefix.</summary>
    public const int Length = 20;

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomBits = 70;
    private const long TicksPerUnit = TimeSpan.TicksPerMicrosecond * 10;
    private static readonly long Epoch = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    private long last;

    /// <summary>A new id, greater than every one made before by this object.</summary>
    /// <param name="prefix">With its underscore, e.g. <c>ct_</c>.</param>
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
    /// The id that follows from another id and a text, always the same one: for things that exist once per pair, such as the delivery of
    /// an event to an endpoint. Keeps the time of <paramref name="timed"/>, takes its other 70 bits from SHA-256.
    /// </summary>
    public static string Derive(string prefix, string timed, string with)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(timed + "\n" + with), hash);
        return Format(prefix, Number(timed) >> RandomBits << RandomBits | LowBits(hash));
    }

    /// <summary>When an id was made, by the clock of who made it, to 10 µs.</summary>
    public static DateTimeOffset TimeOf(string id) => new(Epoch + ((long)(Number(id) >> RandomBits) * TicksPerUnit), TimeSpan.Zero);

    /// <summary>A text that is below every id made at a time or later, and above all made before.</summary>
    public static string FirstAt(string prefix, DateTimeOffset time) =>
        Format(prefix, (UInt128)Math.Max(0, (time.UtcTicks - Epoch) / TicksPerUnit) << RandomBits);

    /// <summary>True if <paramref name="id"/> is <paramref name="prefix"/> and 20 base62 characters.</summary>
    public static bool IsId(ReadOnlySpan<char> id, ReadOnlySpan<char> prefix)
    {
        if (id.Length != prefix.Length + Length || !id.StartsWith(prefix, StringComparison.Ordinal)) return false;
        foreach (var c in id[prefix.Length..])
        {
            if (!char.IsAsciiLetterOrDigit(c)) return false;
        }

        return true;
    }

    /// <summary>A regular expression (ECMA-262) that matches exactly the ids of a prefix.</summary>
    public static string Pattern(string prefix) => $"^{prefix}[0-9A-Za-z]{{{Length}}}$";

    /// <summary>What to say of an id that is not <see cref="IsId"/>.</summary>
    public static string Expected(string prefix) => $"Expected an id of the form {prefix} and {Length} letters or digits";

    /// <summary>True if <paramref name="id"/> is some prefix of at most five characters and 20 base62 characters.</summary>
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
        // Two halves of ten digits, so that the divisions are of 64 bits.
        const ulong Half = 839_299_365_868_340_224; // 62^10
        var (high, low) = UInt128.DivRem(state.number, Half);
        Write(span[state.prefix.Length..(state.prefix.Length + 10)], (ulong)high);
        Write(span[(state.prefix.Length + 10)..], (ulong)low);
    });

    private static void Write(Span<char> span, ulong number)
    {
        for (var i = span.Length - 1; i >= 0; i--)
        {
            (number, var digit) = Math.DivRem(number, 62);
            span[i] = Digits[(int)digit];
        }
    }
}
