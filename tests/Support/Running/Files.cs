namespace NodeStash.Support.Running;

public static class Files
{
    /// <summary>Whether the database or its log, as they are on disk, have these bytes anywhere.</summary>
    public static bool Contain(string folder, ReadOnlySpan<byte> bytes)
    {
        foreach (var name in new[] { "nodestash.db", "nodestash.db-wal" })
        {
            using var file = new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            file.CopyTo(content);
            if (content.GetBuffer().AsSpan(0, (int)content.Length).IndexOf(bytes) >= 0) return true;
        }

        return false;
    }
}
