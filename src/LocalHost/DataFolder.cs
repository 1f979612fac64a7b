using System.Security.Cryptography;
using NodeStash.Core.Webhooks;

namespace NodeStash.LocalHost;

/// <summary>Locks the data folder: databases, the key that seals secrets, and the first API key. One process at a time uses it.</summary>
public sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream inUse;

    private DataFolder(string path, FileStream inUse)
    {
        Path = path;
        this.inUse = inUse;
    }

    public string Path { get; }

    public string Database => In("nodestash.db");

    public string DurableDatabase => In("durable.db");

    public string SearchDatabase => In("search.db");

    public string ApiKeyFile => ApiKeyFileIn(Path);

    private string SealingKeyFile => In("sealing-key");

    /// <summary>Returns the path of a folder's first API key, for programs that only read it.</summary>
    public static string ApiKeyFileIn(string folder) => System.IO.Path.Combine(System.IO.Path.GetFullPath(folder), "api-key");

    /// <summary>Creates the folder if missing, and locks it.</summary>
    /// <exception cref="StartException">The folder can't be created or written, or another process uses it.</exception>
    public static DataFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(full);
            else Directory.CreateDirectory(full, OwnerOnly | UnixFileMode.UserExecute);
            return new DataFolder(full, new FileStream(System.IO.Path.Combine(full, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartException($"the folder {full} can't be written: give another one with --data, or the right to write there", e);
        }
        catch (IOException e) when (IsInUse(e, full))
        {
            throw new StartException($"the folder {full} is in use by another nodestash process: stop it, or give another folder with --data", e);
        }
        catch (IOException e)
        {
            throw new StartException($"the folder {full} can't be used ({e.Message.TrimEnd('.')}): give another one with --data", e);
        }
    }

    /// <summary>Reads the key that seals secrets in the database, and creates it at the first start.</summary>
    /// <exception cref="StartException">The key can't be read, or is missing although a database with sealed secrets exists.</exception>
    public SecretBox OpenSecretBox()
    {
        try
        {
            if (!File.Exists(SealingKeyFile))
            {
                if (File.Exists(Database))
                {
                    throw new StartException(
                        $"{SealingKeyFile} is missing, but {Database} has secrets that only this key opens: restore the key from your backup");
                }

                WriteSecret(SealingKeyFile, Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes)));
            }

            var key = Convert.FromBase64String(File.ReadAllText(SealingKeyFile).Trim());
            if (key.Length != SecretBox.KeyBytes) throw new FormatException();
            foreach (var file in new[] { Database, DurableDatabase, SearchDatabase }) MakePrivate(file);
            return new SecretBox(key);
        }
        catch (FormatException e)
        {
            throw new StartException($"{SealingKeyFile} is damaged: restore it from your backup", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"{SealingKeyFile} can't be read or written ({e.Message.TrimEnd('.')}): give this user the right to read and write it", e);
        }
    }

    /// <summary>Writes a file atomically, readable by its owner only.</summary>
    public static void WriteSecret(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        var draft = file + ".new";
        using (var stream = new FileStream(draft, options))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text + "\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, file, overwrite: true);
    }

    /// <summary>
    /// Creates the empty file of a database, readable by its owner only, whatever the folder allows. SQLite gives its side files the same mode.
    /// </summary>
    private static void MakePrivate(string file)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        new FileStream(file, options).Dispose();
    }

    public void Dispose() => inUse.Dispose();

    private string In(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Whether the lock failed, not the folder: the folder and the lock file exist.</summary>
    private static bool IsInUse(IOException e, string folder) =>
        e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(System.IO.Path.Combine(folder, "lock"));
}
