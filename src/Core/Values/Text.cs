using System.Buffers;
using System.Globalization;
using System.Net.Mail;

namespace NodeStash.Core.Values;

/// <summary>Reads, checks and writes the forms of text that the API uses: folded text, UTC times to the second, dates, slugs, addresses.</summary>
public static class Text
{
    private const string DateFormat = "yyyy-MM-dd";

    private static readonly SearchValues<char> SlugCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly SearchValues<char> NotInEmail = SearchValues.Create(" \t\r\n<>()\",;");

    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK",
    ];

    /// <summary>Folds text for comparing and sorting without regard to case.</summary>
    public static string Fold(string text) => text.ToLowerInvariant();

    /// <summary>Converts PascalCase to snake_case: <c>ServerError</c> becomes <c>server_error</c>.</summary>
    public static string ToSnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>Formats a number in decimal digits, independent of culture.</summary>
    public static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Formats a time in UTC, to the second, e.g. <c>2026-01-15T10:30:00Z</c> (RFC 3339).</summary>
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("s", CultureInfo.InvariantCulture) + "Z";

    /// <summary>Formats a date as <c>YYYY-MM-DD</c>.</summary>
    public static string Format(DateOnly date) => date.ToString(DateFormat, CultureInfo.InvariantCulture);

    /// <summary>Cuts the fraction of a second off a time, and converts it to UTC.</summary>
    public static DateTimeOffset ToSecond(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    /// <summary>Reads a time as UTC, to the second: RFC 3339 with an offset or <c>Z</c>, or a date, which means its first second in UTC.</summary>
    /// <returns>False if the text is not a time; <paramref name="time"/> is then the default.</returns>
    public static bool TryTime(string text, out DateTimeOffset time)
    {
        if (TryDate(text, out var date))
        {
            time = new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
            return true;
        }

        // A time without a zone is refused, because its zone would be a guess.
        var zoned = text.Length > 16 && (text[^1] is 'Z' || text.AsSpan(16).ContainsAny('+', '-'));
        if (zoned && DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out time))
        {
            time = ToSecond(time);
            return true;
        }

        time = default;
        return false;
    }

    /// <summary>Reads a date of the form <c>YYYY-MM-DD</c>.</summary>
    public static bool TryDate(string text, out DateOnly date) =>
        DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out date);

    /// <summary>Tells whether a text is a slug, <c>^[a-z][a-z0-9_]*$</c>, of at most this many characters.</summary>
    public static bool IsSlug(string text, int maxLength) =>
        text.Length > 0 && text.Length <= maxLength && text[0] is >= 'a' and <= 'z' && !text.AsSpan().ContainsAnyExcept(SlugCharacters);

    /// <summary>
    /// Makes a slug from a name: ASCII letters and digits in lower case, one underscore for each run of other characters. A slug that would start with
    /// a digit gets the prefix <c>f_</c>. Null if the name has no ASCII letter or digit.
    /// </summary>
    public static string? ToSlug(string name, int maxLength)
    {
        var slug = string.Join(
            '_', string.Concat(Fold(name).Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (slug.Length > 0 && char.IsAsciiDigit(slug[0])) slug = "f_" + slug;
        if (slug.Length > maxLength) slug = slug[..maxLength].TrimEnd('_');
        return slug.Length == 0 ? null : slug;
    }

    /// <summary>
    /// Tells whether a text is an email address: an addr-spec with a dotted domain, without display name, comments or spaces, of at most 254 characters
    /// (RFC 5321, 4.5.3.1.3).
    /// </summary>
    public static bool IsEmail(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= 254 && at is > 0 and <= 64 && !text.AsSpan().ContainsAny(NotInEmail)
            && text.IndexOf('@', StringComparison.Ordinal) == at
            && text.AsSpan(at + 1) is { Length: > 2 } domain && domain.Contains('.') && domain[0] is not ('.' or '-') && domain[^1] is not ('.' or '-')
            && domain.IndexOf("..", StringComparison.Ordinal) < 0
            && MailAddress.TryCreate(text, out var address) && address.Address == text;
    }

    /// <summary>Tells whether a text is an absolute http or https address with a host, of at most 2,048 characters.</summary>
    public static bool IsWebAddress(string text) =>
        text.Length <= 2048 && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
}
