using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace NodeStash.Infrastructure.Tests;

/// <summary>Reads the rules of the compiler's linter off its assembly. No command lists them.</summary>
internal static class LinterRules
{
    private const string Assembly = "Azure.Bicep.Core.dll", Namespace = "Bicep.Core.Analyzers.Linter.Rules", NameConstant = "Code";

    /// <summary>
    /// Marks a .NET single-file program. The 8 bytes before it are the offset of the manifest.
    /// Source: dotnet/runtime, apphost/bundle_marker.cpp.
    /// </summary>
    private static readonly byte[] mark = Convert.FromHexString("8B1202B96A612038727B930214D7A03213F5B9E6EFAE3318EE3B2DCE24B36AAE");

    /// <summary>The names of all rules, sorted.</summary>
    public static IReadOnlyList<string> Read(string program)
    {
        using var assembly = new PEReader(new MemoryStream(FileOfBundle(File.ReadAllBytes(program), Assembly)));
        var types = assembly.GetMetadataReader();
        var names =
            from type in types.TypeDefinitions.Select(types.GetTypeDefinition)
            where types.GetString(type.Namespace) == Namespace
            from field in type.GetFields().Select(types.GetFieldDefinition)
            where types.GetString(field.Name) == NameConstant
            let constant = types.GetConstant(field.GetDefaultValue())
            select (string)types.GetBlobReader(constant.Value).ReadConstant(constant.TypeCode)!;
        return [.. names.Order(StringComparer.Ordinal)];
    }

    /// <summary>Unpacks a file of a single-file program. Source: dotnet/runtime, Microsoft.NET.HostModel/Bundle/Manifest.cs.</summary>
    private static byte[] FileOfBundle(byte[] program, string name)
    {
        using var manifest = new BinaryReader(new MemoryStream(program), Encoding.UTF8);
        manifest.BaseStream.Position = BitConverter.ToInt64(program, program.AsSpan().IndexOf(mark) - sizeof(long));
        var (major, _, files, _) = (manifest.ReadUInt32(), manifest.ReadUInt32(), manifest.ReadInt32(), manifest.ReadString());
        if (major != 6) throw new NotSupportedException($"{Bicep.Program} is a bundle of version {major}, not 6.");

        manifest.ReadBytes((4 * sizeof(long)) + sizeof(ulong)); // where two of the files are, and flags
        for (var i = 0; i < files; i++)
        {
            var (offset, size, compressedSize) = (manifest.ReadInt64(), manifest.ReadInt64(), manifest.ReadInt64());
            var (_, path) = (manifest.ReadByte(), manifest.ReadString());
            if (path != name) continue;
            if (compressedSize == 0) return program.AsSpan((int)offset, (int)size).ToArray();

            using var compressed = new DeflateStream(new MemoryStream(program, (int)offset, (int)compressedSize), CompressionMode.Decompress);
            var file = new byte[size];
            compressed.ReadExactly(file);
            return file;
        }

        throw new FileNotFoundException($"{name} is not in {Bicep.Program}.");
    }
}
