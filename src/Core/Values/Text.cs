using System.Buffers;
using System.Globalization;
using System.Net.Mail;

namespace NodeStash.Core.Values;

/// <summary>The forms of text the API knows: folded for comparison, UTC times to the second, dates, slugs, addresses.</summary>
public static class Text
{
    private const string DateFormat = "yyyy-MM-dd";

    private static readonly SearchValues<char> SlugCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly SearchValues<char> NotInEmail = SearchValues.Create(" \t\r\n<>()\",;");

    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK",
    ];

    /// <summary>The form in which text is compared and sorted: case does not matter.</summary>
    public static string Fold(string text) => text.ToLowerInvariant();

    /// <summary>Words run together by capitals, joined by underscores instead: <c>ServerError</c> is <c>server_error</c>.</summary>
    public static string ToSnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    public static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>E.g. <c>2026-01-15T10:30:00Z</c>.</summary>
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("s", CultureInfo.InvariantCulture) + "Z";

    public static string Format(DateOnly date) => date.ToString(DateFormat, CultureInfo.InvariantCulture);

    /// <summary>The time without its fraction of a second.</summary>
    public static DateTimeOffset ToSecond(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    /// <summary>Reads RFC 3339 with an offset or <c>Z</c>, to the second, as UTC; or a date, which stands for its first second in UTC.</summary>
    public static bool TryTime(string text, out DateTimeOffset time)
    {
        if (TryDate(text, out var date))
        {
            time = new DateTimeOffset(date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
            return true;
        }

        // A zone is required: a local time of nowhere would be a guess.
        var zoned = text.Length > 16 && (text[^1] is 'Z' || text.AsSpan(16).ContainsAny('+', '-'));
        if (zoned && DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out time))
        {
            time = ToSecond(time);
            return true;
        }

        time = default;
        return false;
    }

    public static bool TryDate(string text, out DateOnly date) =>
        DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out date);

    /// <summary>A slug: <c>^[a-z][a-z0-9_]*$</c>.</summary>
    public static bool IsSlug(string text, int maxLength) =>
        text.Length > 0 && text.Length <= maxLength && text[0] is >= 'a' and <= 'z' && !text.AsSpan().ContainsAnyExcept(SlugCharacters);

    /// <summary>A slug made of a name: letters and digits kept in lower case, everything else an underscore; null where nothing is left.</summary>
    public static string? ToSlug(string name, int maxLength)
    {
        var slug = string.Join(
            '_', string.Concat(Fold(name).Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (slug.Length > 0 && char.IsAsciiDigit(slug[0])) slug = "f_" + slug;
        if (slug.Length > maxLength) slug = slug[..maxLength].TrimEnd('_');
        return slug.Length == 0 ? null : slug;
    }

    /// <summary>An addr-spec with a dotted domain, without display name, comments or spaces, at most 254 characters (RFC 5321, 4.5.3.1.3).</summary>
    public static bool IsEmail(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= 254 && at is > 0 and <= 64 && !text.AsSpan().ContainsAny(NotInEmail)
            && text.IndexOf('@', StringComparison.Ordinal) == at
            && text.AsSpan(at + 1) is { Length: > 2 } domain && domain.Contains('.') && domain[0] is not ('.' or '-') && domain[^1] is not ('.' or '-')
            && domain.IndexOf("..", StringComparison.Ordinal) < 0
            && MailAddress.TryCreate(text, out var address) && address.Address == text;
    }

    /// <summary>An absolute http or https address with a host, at most 2,048 characters.</summary>
    public static bool IsWebAddress(string text) =>
        text.Length <= 2048 && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
}
