namespace NodeStash.Core.Records;

/// <summary>Lists how the search uses a field.</summary>
public enum Searchable
{
    /// <summary>The search ignores the field.</summary>
    No,

    /// <summary>The search matches words. The field is the name of the record, so a match ranks highest.</summary>
    Name,

    /// <summary>The search matches words.</summary>
    Detail,

    /// <summary>The search matches words. The field is long text, so a match ranks lowest.</summary>
    Body,

    /// <summary>The search matches words and any part of the text: an email, a domain, a web address.</summary>
    Address,

    /// <summary>The search matches any part of the digits, however they are grouped.</summary>
    Phone,
}
