using System.Text;

namespace NodeStash.Core.Storage;

/// <summary>The names of keys as stores hold them: of letters, digits and underscores alone, so that a path to any of them needs no quoting.</summary>
public static class KeyName
{
    /// <summary>The name itself if it is of <c>[a-z0-9_]</c>, else X and the hex digits of its UTF-8.</summary>
    public static string Of(string name)
    {
        var plain = name.Length > 0;
        foreach (var c in name) plain &= char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_';
        return plain ? name : "X" + Convert.ToHexString(Encoding.UTF8.GetBytes(name));
    }
}
