using System.Text;

namespace NodeStash.Core.Storage;

/// <summary>Encodes names of keys for stores: only letters, digits and underscores, so that no path needs quoting.</summary>
public static class KeyName
{
    /// <summary>Returns the name itself if it consists of <c>[a-z0-9_]</c>; otherwise X and the hex digits of its UTF-8.</summary>
    public static string Of(string name)
    {
        var plain = name.Length > 0;
        foreach (var c in name) plain &= char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_';
        return plain ? name : "X" + Convert.ToHexString(Encoding.UTF8.GetBytes(name));
    }
}
