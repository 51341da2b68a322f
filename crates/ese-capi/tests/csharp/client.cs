// A program for .NET that calls libesent as managed layers over ESENT do: P/Invoke declarations
// with exact names, handles as IntPtr, UTF-16 and 8-bit text, structures by reference, delegates.
// It creates, fills, seeks, backs up, stops a backup, ends, restores and compares.
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

[UnmanagedFunctionPointer(CallingConvention.Cdecl)]
delegate int Status(IntPtr sesid, uint snp, uint snt, IntPtr data);

[StructLayout(LayoutKind.Sequential)]
struct ColumnDef
{
    public uint cbStruct, columnid, coltyp;
    public ushort wCountry, langid, cp, wCollate;
    public uint cbMax, grbit;
}

[StructLayout(LayoutKind.Sequential)]
struct ColumnCreate
{
    public uint cbStruct;
    public IntPtr szColumnName;
    public uint coltyp, cbMax, grbit;
    public IntPtr pvDefault;
    public uint cbDefault, cp, columnid;
    public int err;
}

[StructLayout(LayoutKind.Sequential)]
struct IndexCreate3
{
    public uint cbStruct;
    public IntPtr szIndexName, szKey;
    public uint cbKey, grbit, ulDensity;
    public IntPtr pidxUnicode, cbVarSegMac, rgconditionalcolumn;
    public uint cConditionalColumn;
    public int err;
    public uint cbKeyMost;
    public IntPtr pSpacehints;
}

[StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
struct TableCreate4
{
    public uint cbStruct;
    public string szTableName, szTemplateTableName;
    public uint ulPages, ulDensity;
    public IntPtr rgcolumncreate;
    public uint cColumns;
    public IntPtr rgindexcreate;
    public uint cIndexes;
    public string szCallback;
    public uint cbtyp, grbit;
    public IntPtr pSeqSpacehints, pLVSpacehints;
    public uint cbSeparateLV;
    public IntPtr tableid;
    public uint cCreated;
}

[StructLayout(LayoutKind.Sequential)]
struct ErrorInfo
{
    public uint cbStruct;
    public int errValue, errcatMostSpecific;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 8)] public byte[] rgCategoricalHierarchy;
    public uint lSourceLine;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 64)] public ushort[] rgszSourceFile;
}

static unsafe class Esent
{
    const string Dll = "esent.dll";

    // 8-bit text, as the start-up probe of such layers has it.
    [DllImport(Dll, CharSet = CharSet.Ansi, ExactSpelling = true,
        BestFitMapping = false, ThrowOnUnmappableChar = true)]
    public static extern int JetCreateInstance(out IntPtr instance, string szInstanceName);
    [DllImport(Dll, CharSet = CharSet.Ansi, ExactSpelling = true,
        BestFitMapping = false, ThrowOnUnmappableChar = true)]
    public static extern int JetSetSystemParameter(IntPtr* pinstance, IntPtr sesid, uint paramid,
        IntPtr lParam, string szParam);
    [DllImport(Dll, CharSet = CharSet.Ansi, ExactSpelling = true,
        BestFitMapping = false, ThrowOnUnmappableChar = true)]
    public static extern int JetBeginSession(IntPtr instance, out IntPtr session, string username,
        string password);
    [DllImport(Dll, CharSet = CharSet.Ansi, ExactSpelling = true,
        BestFitMapping = false, ThrowOnUnmappableChar = true)]
    public static extern int JetSetCurrentIndex(IntPtr sesid, IntPtr tableid, string szIndexName);

    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetCreateInstance2W(out IntPtr instance, string szInstanceName,
        string szDisplayName, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetSetSystemParameterW(IntPtr* pinstance, IntPtr sesid, uint paramid,
        IntPtr lParam, string szParam);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetGetSystemParameterW(IntPtr instance, IntPtr sesid, uint paramid,
        ref IntPtr plParam, [Out] StringBuilder szParam, uint cbMax);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetInit(ref IntPtr instance);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetTerm(IntPtr instance);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetTerm2(IntPtr instance, uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetGetVersion(IntPtr sesid, out uint dwVersion);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetEndSession(IntPtr sesid, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetBeginSessionW(IntPtr instance, out IntPtr session, string username,
        string password);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetCreateDatabase2W(IntPtr sesid, string szFilename,
        uint cpgDatabaseSizeMax, out uint dbid, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetAttachDatabase2W(IntPtr sesid, string szFilename,
        uint cpgDatabaseSizeMax, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetOpenDatabaseW(IntPtr sesid, string database, string szConnect,
        out uint dbid, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetCreateTableColumnIndex4W(IntPtr sesid, uint dbid,
        ref TableCreate4 tablecreate);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetOpenTableW(IntPtr sesid, uint dbid, string tablename,
        byte[] pvParameters, uint cbParameters, uint grbit, out IntPtr tableid);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetGetTableColumnInfoW(IntPtr sesid, IntPtr tableid,
        string szColumnName, ref ColumnDef columndef, uint cbMax, uint InfoLevel);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetCloseTable(IntPtr sesid, IntPtr tableid);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetBeginTransaction(IntPtr sesid);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetCommitTransaction(IntPtr sesid, uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetPrepareUpdate(IntPtr sesid, IntPtr tableid, uint prep);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetSetColumn(IntPtr sesid, IntPtr tableid, uint columnid,
        IntPtr pvData, uint cbData, uint grbit, IntPtr psetinfo);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetUpdate(IntPtr sesid, IntPtr tableid, [Out] byte[] pvBookmark,
        uint cbBookmark, out uint cbActual);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetRetrieveColumn(IntPtr sesid, IntPtr tableid, uint columnid,
        IntPtr pvData, uint cbData, out uint cbActual, uint grbit, IntPtr pretinfo);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetMakeKey(IntPtr sesid, IntPtr tableid, IntPtr pvData, uint cbData,
        uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetSeek(IntPtr sesid, IntPtr tableid, uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetMove(IntPtr sesid, IntPtr tableid, int cRow, uint grbit);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetBackupInstanceW(IntPtr instance, string szBackupPath, uint grbit,
        Status pfnStatus);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetRestoreInstanceW(IntPtr instance, string sz, string szDest,
        Status pfn);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetBeginExternalBackupInstance(IntPtr instance, uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetStopBackupInstance(IntPtr instance);
    [DllImport(Dll, CharSet = CharSet.Unicode, ExactSpelling = true)]
    public static extern int JetGetAttachInfoInstanceW(IntPtr instance, [Out] byte[] szz,
        uint cbMax, out uint pcbActual);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetEndExternalBackupInstance2(IntPtr instance, uint grbit);
    [DllImport(Dll, ExactSpelling = true)]
    public static extern int JetGetErrorInfoW(ref int error, [In, Out] ref ErrorInfo pvResult,
        uint cbMax, uint InfoLevel, uint grbit);
}

static unsafe class Client
{
    const int BackupStoppedByCaller = -801, NoCurrentRecord = -1603, RecordNotFound = -1601;
    const int Rows = 500;
    static uint idColumn, nameColumn;

    static void Ok(int code)
    {
        if (code < 0) throw new Exception("answered " + code);
    }

    static void Same<T>(T wanted, T found)
    {
        if (!wanted.Equals(found)) throw new Exception(found + " instead of " + wanted);
    }

    static IntPtr Instance(string name, string folder)
    {
        IntPtr instance;
        Ok(Esent.JetCreateInstance2W(out instance, name, "f\u00fcr Mono", 0));
        foreach (uint path in new uint[] { 0, 1, 2 })
            Ok(Esent.JetSetSystemParameterW(&instance, IntPtr.Zero, path, IntPtr.Zero,
                folder + "/"));
        Ok(Esent.JetSetSystemParameterW(&instance, IntPtr.Zero, 100, (IntPtr)1, null));
        return instance;
    }

    // What a managed layer asks before anything else, with the 8-bit names.
    static void Probe()
    {
        IntPtr instance, session;
        uint version;
        Ok(Esent.JetCreateInstance(out instance, "GettingEsentVersion1"));
        Ok(Esent.JetSetSystemParameter(&instance, IntPtr.Zero, 34, IntPtr.Zero, "off"));
        foreach (uint[] one in new[] { new uint[] { 50, 1 }, new uint[] { 10, 0 }, new uint[] { 8,
            16 },
                                       new uint[] { 6, 16 }, new uint[] { 9, 4 }, new uint[] { 5,
                                           1 } })
            Ok(Esent.JetSetSystemParameter(&instance, IntPtr.Zero, one[0], (IntPtr)one[1], null));
        Ok(Esent.JetInit(ref instance));
        Ok(Esent.JetBeginSession(instance, out session, "", ""));
        Ok(Esent.JetGetVersion(session, out version));
        Ok(Esent.JetEndSession(session, 0));
        Ok(Esent.JetTerm(instance));
        if ((version & 0xffffff) >> 8 < 9900) throw new Exception("version " + version);
        Same(0, Directory.GetFileSystemEntries(".").Length);
    }

    static IntPtr CreateTable(IntPtr session, uint dbid)
    {
        string[] names = { "id", "name" };
        var columns = Marshal.AllocHGlobal(2 * Marshal.SizeOf(typeof(ColumnCreate)));
        for (int at = 0; at < 2; at++)
        {
            var one = new ColumnCreate { cbStruct = (uint)Marshal.SizeOf(typeof(ColumnCreate)) };
            one.szColumnName = Marshal.StringToHGlobalUni(names[at]);
            one.coltyp = at == 0 ? 4u : 12u;
            one.cp = 1200;
            Marshal.StructureToPtr(one, columns + at * Marshal.SizeOf(typeof(ColumnCreate)), false);
        }
        string[] keys = { "+id\0\0", "+name\0\0" };
        var indexes = Marshal.AllocHGlobal(2 * Marshal.SizeOf(typeof(IndexCreate3)));
        for (int at = 0; at < 2; at++)
        {
            var one = new IndexCreate3 { cbStruct = (uint)Marshal.SizeOf(typeof(IndexCreate3)) };
            one.szIndexName = Marshal.StringToHGlobalUni("by " + names[at]);
            one.szKey = Marshal.StringToHGlobalUni(keys[at]);
            one.cbKey = (uint)keys[at].Length * 2;
            one.grbit = at == 0 ? 2u : 0u;
            one.ulDensity = 80;
            Marshal.StructureToPtr(one, indexes + at * Marshal.SizeOf(typeof(IndexCreate3)), false);
        }
        var table = new TableCreate4 { cbStruct = (uint)Marshal.SizeOf(typeof(TableCreate4)) };
        table.szTableName = "B\u00fccher";
        table.ulPages = 1;
        table.ulDensity = 80;
        table.rgcolumncreate = columns;
        table.cColumns = 2;
        table.rgindexcreate = indexes;
        table.cIndexes = 2;
        Ok(Esent.JetCreateTableColumnIndex4W(session, dbid, ref table));
        Same(5u, table.cCreated);
        return table.tableid;
    }

    static uint Column(IntPtr session, IntPtr table, string name)
    {
        var told = new ColumnDef { cbStruct = (uint)Marshal.SizeOf(typeof(ColumnDef)) };
        Ok(Esent.JetGetTableColumnInfoW(session, table, name, ref told, told.cbStruct, 0));
        return told.columnid;
    }

    static string Name(int row) { return "Buch \u2116 " + row; }

    static void Fill(IntPtr session, IntPtr table)
    {
        uint actual;
        Ok(Esent.JetBeginTransaction(session));
        for (int row = 0; row < Rows; row++)
        {
            Ok(Esent.JetPrepareUpdate(session, table, 0));
            Ok(Esent.JetSetColumn(session, table, idColumn, (IntPtr)(&row), 4, 0, IntPtr.Zero));
            string name = Name(row);
            fixed (char* text = name)
                Ok(Esent.JetSetColumn(session, table, nameColumn, (IntPtr)text,
                    (uint)name.Length * 2, 0, IntPtr.Zero));
            Ok(Esent.JetUpdate(session, table, null, 0, out actual));
        }
        Ok(Esent.JetCommitTransaction(session, 0));
    }

    static string Text(IntPtr session, IntPtr table)
    {
        char* room = stackalloc char[100];
        uint actual;
        Ok(Esent.JetRetrieveColumn(session, table, nameColumn, (IntPtr)room, 200, out actual, 0,
            IntPtr.Zero));
        return new string(room, 0, (int)actual / 2);
    }

    static void Look(IntPtr session, IntPtr table)
    {
        int count = 0, id = 77;
        for (int code = Esent.JetMove(session, table, int.MinValue, 0); code != NoCurrentRecord;
             code = Esent.JetMove(session, table, 1, 0))
        {
            Ok(code);
            Same(Name(count++), Text(session, table));
        }
        Same(Rows, count);
        Ok(Esent.JetMakeKey(session, table, (IntPtr)(&id), 4, 1));
        Ok(Esent.JetSeek(session, table, 1));
        Same(Name(77), Text(session, table));
        Ok(Esent.JetSetCurrentIndex(session, table, "by name"));
        string name = Name(123);
        fixed (char* text = name)
            Ok(Esent.JetMakeKey(session, table, (IntPtr)text, (uint)name.Length * 2, 1));
        Ok(Esent.JetSeek(session, table, 1));
        Same(name, Text(session, table));
        id = 5000;
        Ok(Esent.JetSetCurrentIndex(session, table, null));
        Ok(Esent.JetMakeKey(session, table, (IntPtr)(&id), 4, 1));
        Same(RecordNotFound, Esent.JetSeek(session, table, 1));
    }

    static void Open(IntPtr instance, string path, out IntPtr session, out IntPtr table)
    {
        uint dbid;
        Ok(Esent.JetBeginSessionW(instance, out session, null, null));
        Ok(Esent.JetAttachDatabase2W(session, path, 0, 0));
        Ok(Esent.JetOpenDatabaseW(session, path, null, out dbid, 0));
        Ok(Esent.JetOpenTableW(session, dbid, "B\u00fccher", null, 0, 0, out table));
    }

    static void BackUp(IntPtr instance, string set)
    {
        int told = 0;
        Status status = (sesid, snp, snt, data) => { told++; return 0; };
        Ok(Esent.JetBackupInstanceW(instance, set, 0, status));
        GC.KeepAlive(status);
        if (told == 0) throw new Exception("a backup without progress");
    }

    static void StopBackup(IntPtr instance)
    {
        uint actual;
        Ok(Esent.JetBeginExternalBackupInstance(instance, 0));
        Ok(Esent.JetStopBackupInstance(instance));
        Same(BackupStoppedByCaller, Esent.JetGetAttachInfoInstanceW(instance, new byte[1000], 1000,
            out actual));
        Ok(Esent.JetEndExternalBackupInstance2(instance, 2));
    }

    static void ErrorTexts(IntPtr instance)
    {
        int code = RecordNotFound;
        var info = new ErrorInfo { cbStruct = (uint)Marshal.SizeOf(typeof(ErrorInfo)) };
        Ok(Esent.JetGetErrorInfoW(ref code, ref info, info.cbStruct, 1, 0));
        Same(RecordNotFound, info.errValue);
        var text = new StringBuilder(1000);
        var number = (IntPtr)code;
        Ok(Esent.JetGetSystemParameterW(instance, IntPtr.Zero, 70, ref number, text, 2000));
        if (!text.ToString().StartsWith("JET_errRecordNotFound")) throw new
            Exception(text.ToString());
    }

    static void Main(string[] words)
    {
        Probe();
        string home = Path.GetFullPath("data"), path = home + "/b\u00fccher.edb", set =
            Path.GetFullPath("set");
        IntPtr instance = Instance("one", home), session, table;
        uint dbid;
        Ok(Esent.JetInit(ref instance));
        Ok(Esent.JetBeginSessionW(instance, out session, null, null));
        Ok(Esent.JetCreateDatabase2W(session, path, 0, out dbid, 0));
        table = CreateTable(session, dbid);
        idColumn = Column(session, table, "id");
        nameColumn = Column(session, table, "name");
        Fill(session, table);
        Look(session, table);
        ErrorTexts(instance);
        StopBackup(instance);
        BackUp(instance, set);
        Ok(Esent.JetCloseTable(session, table));
        Ok(Esent.JetTerm2(instance, 1));

        instance = Instance("again", home);
        Ok(Esent.JetInit(ref instance));
        Open(instance, path, out session, out table);
        Look(session, table);
        Ok(Esent.JetTerm2(instance, 1));

        string other = Path.GetFullPath("restored");
        instance = Instance("restoring", other);
        Ok(Esent.JetRestoreInstanceW(instance, set, other, null));
        Ok(Esent.JetTerm(instance));
        instance = Instance("restored", other);
        Ok(Esent.JetInit(ref instance));
        Open(instance, other + "/b\u00fccher.edb", out session, out table);
        Look(session, table);
        Ok(Esent.JetTerm2(instance, 1));
        Console.WriteLine("done");
    }
}
