namespace NodeStash.Core.Records;

/// <summary>How a field is searched.</summary>
public enum Searchable
{
    /// <summary>It is not.</summary>
    No,

    /// <summary>By its words; what the record is called, so it counts most.</summary>
    Name,

    /// <summary>By its words.</summary>
    Detail,

    /// <summary>By its words; long text, which counts least.</summary>
    Body,

    /// <summary>By its words and by any part of it: an email, a domain, a web address.</summary>
    Address,

    /// <summary>By any part of its digits, however they are grouped.</summary>
    Phone,
}
