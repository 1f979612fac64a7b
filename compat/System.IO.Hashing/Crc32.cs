namespace System.IO.Hashing;

/// <summary>CRC-32 as in IEEE 802.3: reflected polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF.</summary>
public sealed class Crc32
{
    private static readonly uint[] Table = MakeTable();

    private Crc32()
    {
    }

    /// <summary>The CRC-32 of the bytes.</summary>
    public static uint HashToUInt32(ReadOnlySpan<byte> source)
    {
        var crc = uint.MaxValue;
        foreach (var value in source) crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var entry = i;
            for (var bit = 0; bit < 8; bit++) entry = (entry & 1) == 0 ? entry >> 1 : (entry >> 1) ^ 0xEDB88320;
            table[i] = entry;
        }

        return table;
    }
}
